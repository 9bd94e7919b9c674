import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { test } from "node:test"
import vm from "node:vm"

const CODE = await readFile(new URL("../../flask_app/static/js/service-worker.js", import.meta.url), "utf-8")
const ORIGIN = "https://chat.example"
const SHELL = { version: "v2", files: ["/static/d2/css/app.css"], pages: { "zh-CN": "/offline?lang=zh", en: "/offline?lang=en" } }

/** The worker among fakes: caches by name, and a network that answers with what it was asked for, or is down. */
function started({ shell = SHELL, kept = {}, language = "en-GB", gone = false } = {}) {
  const listeners = {}
  const caches = new Map(Object.entries(kept).map(([name, entries]) => [name, new Map(Object.entries(entries))]))
  const world = { asked: [], isDown: false, caches, listeners, told: [] }
  const pathOf = (request) => (typeof request === "string" ? request : request.url.replace(ORIGIN, ""))
  const opened = (name) => {
    if (!caches.has(name)) caches.set(name, new Map())
    const entries = caches.get(name)
    return {
      addAll: async (paths) => {
        if (world.isDown) throw new TypeError("no network")
        for (const path of paths) entries.set(path, `stored ${path}`)
      },
      match: async (request) => entries.get(pathOf(request)),
    }
  }
  const sandbox = {
    shell,
    URL,
    location: { origin: ORIGIN },
    navigator: { language },
    addEventListener: (name, listener) => (listeners[name] = listener),
    skipWaiting: async () => world.told.push("skipWaiting"),
    clients: { claim: async () => world.told.push("claim") },
    registration: { unregister: async () => world.told.push("unregister") },
    caches: {
      open: async (name) => opened(name),
      keys: async () => [...caches.keys()],
      delete: async (name) => caches.delete(name),
      match: async (path, { cacheName }) => caches.get(cacheName)?.get(path),
    },
    fetch: async (request) => {
      world.asked.push(pathOf(request))
      if (world.isDown) throw new TypeError("no network")
      if (world.says) return { status: world.says }
      return pathOf(request) === "/sw.js" ? { status: gone ? 404 : 200 } : `network ${pathOf(request)}`
    },
  }
  vm.runInNewContext(CODE, sandbox)
  return world
}

/** What the worker makes of an event; undefined where it leaves the request to the browser. */
async function on(world, name, event = {}) {
  const waits = []
  let answer
  world.listeners[name]({ ...event, waitUntil: (work) => waits.push(work), respondWith: (work) => (answer = work) })
  await Promise.allSettled(waits)
  if (waits.length) await Promise.all(waits)
  return answer && (await answer)
}

const request = (path, more = {}) => ({ request: { method: "GET", mode: "cors", url: ORIGIN + path, ...more } })
const visit = (path, more = {}) => request(path, { mode: "navigate", ...more })

test("what is asked of the API, or by programs, and what changes something never passes through it", async () => {
  const world = started({ kept: { "mingchat-v2": { "/api/conversations": "stale" } } })
  for (const mode of ["cors", "navigate", "same-origin"]) {
    for (const path of ["/api/conversations", "/api/runs/1/events", "/v1/models", "/static/d1/js/chat/chat.js", "/static/d2/js/chat/chat.js"]) {
      assert.equal(await on(world, "fetch", request(path, { mode })), undefined, `${mode} ${path}`)
    }
  }
  assert.equal(await on(world, "fetch", visit("/logout", { method: "POST" })), undefined)
  assert.equal(await on(world, "fetch", request("/healthz")), undefined)
  assert.equal(await on(world, "fetch", visit("", { url: "https://elsewhere.example/" })), undefined)
  assert.deepEqual(world.asked, [])
})

test("a page is always the server's own while there is a network", async () => {
  const world = started({ kept: { "mingchat-v2": { "/": "stale", "/offline?lang=en": "offline" } } })
  assert.equal(await on(world, "fetch", visit("/")), "network /")
  assert.equal(await on(world, "fetch", visit("/c/1", {})), "network /c/1")
  assert.equal(await on(world, "fetch", { ...visit("/c/2"), preloadResponse: Promise.resolve("preloaded") }), "preloaded")
})

test("without a network a page is the one that says so, in the language last read", async () => {
  const words = { "/offline?lang=en": "offline", "/offline?lang=zh": "没有网络" }
  for (const [language, kept, found] of [
    ["en-GB", null, "offline"],
    ["zh-CN", null, "没有网络"],
    ["fr", null, "offline"],
    ["en-GB", "zh-CN", "没有网络"],
  ]) {
    const entry = { json: async () => ({ language: kept }) }
    const world = started({ language, kept: { "mingchat-v2": words, "mingchat-kept": { "/offline/kept": entry } } })
    world.isDown = true
    assert.equal(await on(world, "fetch", visit("/c/1")), found)
    const lost = { ...visit("/c/1"), preloadResponse: Promise.reject(new TypeError("no network")) }
    assert.equal(await on(world, "fetch", lost), found)
  }
})

test("where nginx alone answers, it shows the page for without a network too, where it has one", async () => {
  const words = { "/offline?lang=en": "offline" }
  for (const says of [502, 504]) {
    const world = started({ kept: { "mingchat-v2": words } })
    world.says = says
    assert.equal(await on(world, "fetch", visit("/c/1")), "offline")
    assert.equal(await on(world, "fetch", { ...visit("/c/1"), preloadResponse: Promise.resolve({ status: says }) }), "offline")
    const empty = started()
    empty.says = says
    assert.equal((await on(empty, "fetch", visit("/c/1"))).status, says)
  }
  const other = started({ kept: { "mingchat-v2": words } })
  other.says = 503 // the application's own, with words of its own
  assert.equal((await on(other, "fetch", visit("/c/1"))).status, 503)
})

test("a file of its own shell comes from there, and else from the network", async () => {
  const world = started({ kept: { "mingchat-v2": { "/static/d2/css/app.css": "stored" } } })
  assert.equal(await on(world, "fetch", request("/static/d2/css/app.css")), "stored")
  world.caches.clear()
  assert.equal(await on(world, "fetch", request("/static/d2/css/app.css")), "network /static/d2/css/app.css")
})

test("another version fetches its own shell, takes over at once and throws away the others'", async () => {
  const world = started({ kept: { "mingchat-v1": { "/offline?lang=en": "old" }, "mingchat-kept": {}, "not-ours": {} } })
  await on(world, "install")
  assert.deepEqual([...world.caches.get("mingchat-v2").keys()], [...SHELL.files, ...Object.values(SHELL.pages)])
  await on(world, "activate")
  assert.deepEqual([...world.caches.keys()].sort(), ["mingchat-kept", "mingchat-v2", "not-ours"])
  assert.deepEqual(world.told, ["skipWaiting", "claim"])
})

test("a shell that cannot be had whole is none", async () => {
  const world = started()
  world.isDown = true
  await assert.rejects(on(world, "install"))
  assert.deepEqual(world.told, [])
})

test("where the site has no worker any more, nothing of it stays", async () => {
  const kept = { "mingchat-v2": { "/offline?lang=en": "offline" }, "mingchat-kept": {} }
  const world = started({ kept, gone: true })
  await on(world, "fetch", visit("/"))
  assert.deepEqual(world.told, ["unregister"])
  assert.equal(world.caches.size, 0)
  const there = started({ kept })
  await on(there, "fetch", visit("/"))
  await on(there, "fetch", visit("/"))
  assert.deepEqual(there.asked.filter((path) => path === "/sw.js"), ["/sw.js"], "looked for once")
  assert.deepEqual([there.told, there.caches.size], [[], 2])
})

test("a server that is away is no reason to leave", async () => {
  const world = started({ kept: { "mingchat-v2": { "/offline?lang=en": "offline" } }, gone: true })
  world.isDown = true
  assert.equal(await on(world, "fetch", visit("/")), "offline")
  assert.deepEqual(world.told, [])
})
