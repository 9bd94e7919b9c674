import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { getElementById: () => null, documentElement: { dataset: {}, lang: "en" }, querySelector: () => null }
const { isWhole } = await import("app/chat/endings.js")

const WHOLE = { role: "assistant", status: "complete", finish_reason: "stop", text: "so" }

test("an answer is whole that has come to its own end", () => {
  assert.ok(isWhole(WHOLE))
  assert.ok(isWhole({ ...WHOLE, finish_reason: null }), "as providers of models elsewhere leave it out")
})

test("what was cut off, stopped, failed, is empty or still written is not", () => {
  for (const status of ["running", "stopped", "failed", "interrupted", "left"]) assert.ok(!isWhole({ ...WHOLE, status }), status)
  for (const reason of ["length", "content_filter"]) assert.ok(!isWhole({ ...WHOLE, finish_reason: reason }), reason)
  assert.ok(!isWhole({ ...WHOLE, text: "" }))
  assert.ok(!isWhole({ ...WHOLE, role: "user" }))
  assert.ok(!isWhole(undefined))
})
