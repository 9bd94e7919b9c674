// @ts-check
/** The page without a network: the list of conversations as it was last seen here, and the way back. */

const place = /** @type {HTMLElement} */ (document.querySelector("[data-kept]"))
const time = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" })

addEventListener("online", () => location.reload())
document.querySelector("[data-again]")?.addEventListener("click", () => location.reload())

/** @type {import("app/shell").Kept | undefined} */
const kept = await (await globalThis.caches?.match("/offline/kept"))?.json().catch(() => undefined)
if (kept) document.documentElement.dataset.theme = kept.theme
if (kept?.conversations.length) show(kept)

/** @param {import("app/shell").Kept} kept */
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
