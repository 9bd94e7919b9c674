// @ts-check
/** The page where the site cannot be had, without a network or while its server is away: the list of conversations as last seen here, and the way back. */

const FIRST_PAUSE = 2_000 // milliseconds until the server is asked again
const LONGEST_PAUSE = 30_000
const PATIENCE = 10_000
const place = /** @type {HTMLElement} */ (document.querySelector("[data-kept]"))
const time = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" })

tellWhy()
askIn(FIRST_PAUSE)
addEventListener("offline", tellWhy)
addEventListener("online", () => location.reload())
document.querySelector("[data-again]")?.addEventListener("click", () => location.reload())

/** @type {import("app/shell.js").Kept | undefined} */
const kept = await (await globalThis.caches?.match("/offline/kept"))?.json().catch(() => undefined)
if (kept) document.documentElement.dataset.theme = kept.theme
if (kept?.conversations.length) show(kept)

/** A browser with a network was not answered by the server. */
function tellWhy() {
  const why = navigator.onLine ? "unreached" : "offline"
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-when]"))) each.hidden = each.dataset.when !== why
  const heading = document.querySelector(`h1[data-when="${why}"]`)?.textContent ?? ""
  document.title = document.title.replace(/^.*(?= · )/, () => heading)
}

/** Goes to the page that was wanted once the server answers. @param {number} pause */
function askIn(pause) {
  setTimeout(async () => {
    if (navigator.onLine && (await answers())) location.reload()
    else askIn(Math.min(pause * 1.5, LONGEST_PAUSE))
  }, pause)
}

/** The cheapest question there is: without a session, without the database. */
async function answers() {
  const asked = fetch("/healthz", { method: "HEAD", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE) })
  return asked.then(({ ok }) => ok, () => false)
}

/** @param {import("app/shell.js").Kept} kept */
function show({ at, conversations }) {
  const entries = conversations.map(({ title, href }) => {
    const item = document.createElement("li")
    const link = document.createElement("a")
    link.className = "offline__entry truncate"
    link.href = href
    link.dir = "auto"
    link.textContent = title
    item.append(link)
    return item
  })
  place.querySelector("[data-entries]")?.replaceChildren(...entries)
  const seen = place.querySelector("time")
  if (seen) {
    seen.dateTime = at
    seen.textContent = time.format(new Date(at))
  }
  place.hidden = false
}

export {}
