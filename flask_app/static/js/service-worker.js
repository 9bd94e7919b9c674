// @ts-check
/**
 * Stands between the site's pages and the network, for one thing: a page that cannot be had, without a network or while the server is away,
 * is answered by one that says so. What is asked of the server's API, event streams among it, never passes here, and a page online is always the server's own.
 * The server puts `shell` before this text: what that page consists of, each file under an address that names its content, and `version`,
 * the digest of it all. So another version of the site is another worker, which fetches its own shell whole, takes over at once and throws
 * away the shells of others.
 */

/** @type {any} */
const worker = globalThis
/** @type {{version: string, files: string[], pages: Record<string, string>}} */
const { version, files, pages } = worker.shell
const FAMILY = "mingchat-"
const OWN = `${FAMILY}${version}`
const KEPT = `${FAMILY}kept` // what `app/shell` has noted of the person: language, theme, titles
const ITSELF = "/sw.js"
const AWAY = [502, 504] // what nginx says for an application that is not there
let isSought = false

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(fill()))
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(takeOver()))
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const kind = kindOf(event.request)
  if (kind === "file") event.respondWith(file(event.request))
  if (kind !== "page") return
  event.respondWith(page(event))
  event.waitUntil(leaveIfGone())
})

/** What of a request is answered here: a page, a file of the shell, or nothing. @param {Request} request */
function kindOf({ method, mode, url }) {
  const { origin, pathname } = new URL(url)
  if (method !== "GET" || origin !== worker.location.origin) return null
  if (files.includes(pathname)) return "file"
  const isOfPrograms = /^\/(api|v1|static)\//.test(pathname)
  return mode === "navigate" && !isOfPrograms ? "page" : null
}

/** All or nothing: a server that is just being replaced has other files, and the next visit tries again. */
async function fill() {
  const own = await worker.caches.open(OWN)
  await own.addAll([...files, ...Object.values(pages)])
  await worker.skipWaiting()
}

async function takeOver() {
  for (const name of await worker.caches.keys()) {
    if (name.startsWith(FAMILY) && ![OWN, KEPT].includes(name)) await worker.caches.delete(name)
  }
  await worker.registration.navigationPreload?.enable() // the page is asked for while the worker wakes up
  await worker.clients.claim()
}

/** @param {any} event */
async function page({ request, preloadResponse }) {
  try {
    const reply = (await preloadResponse) ?? (await worker.fetch(request))
    return AWAY.includes(reply.status) ? ((await pageForNow()) ?? reply) : reply
  } catch (error) {
    const found = await pageForNow()
    if (!found) throw error
    return found
  }
}

async function pageForNow() {
  return (await worker.caches.open(OWN)).match(await pageOfReader())
}

/** The page in the language in which the site was last read here, else in the browser's. */
async function pageOfReader() {
  const kept = await (await worker.caches.match("/offline/kept", { cacheName: KEPT }))?.json().catch(() => null)
  const { language } = worker.navigator
  return pages[kept?.language] ?? pages[language] ?? pages[language.split("-")[0]] ?? pages.en
}

/** @param {Request} request */
async function file(request) {
  const own = await worker.caches.open(OWN)
  return (await own.match(request)) ?? worker.fetch(request)
}

/** A site that has gone back to a version without a worker has none at its address: nothing of this one stays. */
async function leaveIfGone() {
  if (isSought) return
  isSought = true
  const found = await worker.fetch(ITSELF, { method: "HEAD", cache: "no-store" }).catch(() => null)
  if (found?.status !== 404) return
  await Promise.all([OWN, KEPT].map((name) => worker.caches.delete(name)))
  await worker.registration.unregister()
}
