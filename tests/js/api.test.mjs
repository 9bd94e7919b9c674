import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { api, inTime } from "app/api.js"

const metas = { "csrf-token": meta("old"), person: meta("ada") }
globalThis.document = { querySelector: (selector) => metas[/name="(.+)"/.exec(selector)[1]] }

/** @type {{path: string, method: string, token: string | null, body: string | undefined}[]} */
let asked
/** @type {Response[]} */
let answers

beforeEach(() => {
  asked = []
  metas["csrf-token"].setAttribute("content", "old")
  globalThis.fetch = async (path, { method = "GET", headers, body }) => {
    asked.push({ path, method, token: headers.get("X-CSRF-Token"), body })
    return answers.shift()
  }
})

test("where another tab has renewed the session, the request is repeated with its token", async () => {
  answers = [refusal(403, "csrf_failed"), reply({ user: { id: "ada" }, csrf_token: "new" }), reply({ done: true })]
  assert.deepEqual(await api.patch("/api/me", { theme: "dark" }), { done: true })
  assert.deepEqual(asked, [
    { path: "/api/me", method: "PATCH", token: "old", body: '{"theme":"dark"}' },
    { path: "/api/me", method: "GET", token: null, body: undefined },
    { path: "/api/me", method: "PATCH", token: "new", body: '{"theme":"dark"}' },
  ])
})

test("a server that is silent for half a minute is given up, and what was asked is called back", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] })
  /** @type {AbortSignal | undefined} */
  let asking
  const given = inTime((signal) => new Promise(() => (asking = signal)))
  context.mock.timers.tick(29_999)
  assert.equal(asking?.aborted, false)
  context.mock.timers.tick(1)
  await assert.rejects(given, { code: "silent", status: 0 })
  assert.equal(asking?.aborted, true)
})

test("what comes in time is given, and so is what goes wrong", async () => {
  assert.equal(await inTime(async () => "there"), "there")
  await assert.rejects(inTime(async () => Promise.reject(new Error("broken"))), { message: "broken" })
})

test("it is repeated once only", async () => {
  answers = [refusal(403, "csrf_failed"), reply({ user: { id: "ada" }, csrf_token: "new" }), refusal(403, "csrf_failed")]
  await assert.rejects(api.delete("/api/conversations/x"), { code: "csrf_failed", status: 403 })
  assert.equal(asked.length, 3)
})

test("where nobody is signed in any more, that is what the page hears", async () => {
  answers = [refusal(403, "csrf_failed"), refusal(401, "sign_in_required")]
  await assert.rejects(api.post("/api/chat", {}), { code: "sign_in_required", status: 401 })
})

test("a page never acts for the person who signed in after its own", async () => {
  answers = [refusal(403, "csrf_failed"), reply({ user: { id: "bob" }, csrf_token: "bobs" })]
  await assert.rejects(api.delete("/api/me/sessions"), { code: "csrf_failed" })
  assert.equal(asked.length, 2)
  assert.equal(metas["csrf-token"].getAttribute("content"), "old")
})

test("another refusal is no reason to ask again", async () => {
  answers = [refusal(403, "wrong_password")]
  await assert.rejects(api.post("/api/me/password", {}), { code: "wrong_password" })
  assert.equal(asked.length, 1)
})

/** @param {string} content */
function meta(content) {
  const attributes = new Map([["content", content]])
  return { getAttribute: (name) => attributes.get(name), setAttribute: (name, value) => attributes.set(name, value) }
}

/** @param {unknown} body */
const reply = (body) => Response.json(body)

/** @param {number} status @param {string} code */
const refusal = (status, code) => Response.json({ error: { code, message: "" } }, { status })
