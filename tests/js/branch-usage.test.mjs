import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = {
  documentElement: { lang: "en", dataset: { timezone: "Asia/Shanghai" } },
  getElementById: () => ({ textContent: "{}" }),
  querySelector: () => null,
}
const { usageOf } = await import("app/chat/branch-usage.js")

const nobody = () => undefined
const said = (role, text, more = {}) => ({ id: role + text, role, text, status: "complete", files: [], search: null, usage: null, ...more })
const counted = { total_tokens: 9, context_tokens: 9, source: "reported" }

test("the last answer that was counted says it, on the page or stored", () => {
  const path = [said("user", "a"), said("assistant", "b", { usage: counted }), said("user", "c"), said("assistant", "", { status: "failed" })]
  assert.deepEqual(usageOf(path, nobody), counted)
  const drawn = { ...counted, context_tokens: 20 }
  assert.deepEqual(usageOf(path, (id) => (id === "assistantb" ? drawn : undefined)), drawn)
})

test("a conversation that was brought in is estimated by its words, files and sources", () => {
  const files = [{ tokens: 100, absent: null }, { tokens: 50, absent: "left_out" }]
  const search = { sources: [{ text: "十个字的来源在这里了" }] }
  const path = [said("user", "问题问题问题问题问题", { files, search }), said("assistant", "1234567890", { search })]
  assert.deepEqual(usageOf(path, nobody), { total_tokens: 115, context_tokens: 115, source: "estimated" })
})

test("nothing is said before the first answer has come", () => {
  assert.equal(usageOf([], nobody), null)
  assert.equal(usageOf([said("user", "a"), said("assistant", "some", { status: "running" })], nobody), null)
  assert.equal(usageOf([said("user", "a"), said("assistant", "", { status: "failed" })], nobody), null)
})
