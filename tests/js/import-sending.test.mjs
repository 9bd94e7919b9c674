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
