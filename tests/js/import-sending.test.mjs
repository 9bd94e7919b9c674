import assert from "node:assert/strict"
import { test } from "node:test"
import { send } from "app/imports/batches.js"

globalThis.document = { querySelector: () => ({ getAttribute: () => "token" }), documentElement: { dataset: {} } }

const talk = (/** @type {number} */ number) => ({ id: `c-${number}`, messages: [], folder_id: null })
const FOUND = { talks: [talk(1), talk(2)], folders: [], contents: new Map() }
const busy = () => new Response(JSON.stringify({ error: { code: "too_many", message: "Slowly.", retry_after: 60 } }), { status: 429, headers: { "Retry-After": "60", "Content-Type": "application/json" } })

test("who cancels while the server is given time sends nothing more", async () => {
  let asked = 0
  const leave = new AbortController()
  globalThis.fetch = async () => {
    asked++
    setTimeout(() => leave.abort(), 10)
    return busy()
  }
  const sums = await send(FOUND, () => assert.fail("nothing was sent"), leave.signal)
  assert.deepEqual([asked, sums.imported], [1, 0])
})

test("whoever is told to wait asks again, in every step, and goes on", async () => {
  const asked = []
  globalThis.fetch = async (path, { body }) => {
    asked.push(path.split("/").at(-1))
    if (asked.length % 2) return new Response(JSON.stringify({ error: { code: "too_many", message: "Slowly." } }), { status: 429, headers: { "Retry-After": "0", "Content-Type": "application/json" } })
    const outcomes = JSON.parse(body).conversations.map(({ id }) => ({ id, outcome: "imported" }))
    return new Response(JSON.stringify({ outcomes }), { headers: { "Content-Type": "application/json" } })
  }
  const named = { id: "f", name: "f.txt", kind: "text", content_type: "text/plain", bytes: 1 }
  const talks = [{ ...talk(1), messages: [{ id: "1", parent_id: null, role: "user", text: "hi", created_at: "", files: [named] }] }]
  const sums = await send({ talks, folders: [], contents: new Map([["f", { name: "f.txt", read: async () => null }]]) }, () => undefined, new AbortController().signal)
  assert.deepEqual([asked, sums.imported], [["look", "look", "import", "import"], 1])
})
