import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const words = readFileSync(new URL("../../flask_app/locales/en/audit.json", import.meta.url), "utf8")
globalThis.document = {
  documentElement: { lang: "en", dataset: { timezone: "Asia/Shanghai" } },
  getElementById: () => ({ textContent: words }),
}
const { factsOf, nameOf } = await import("app/admin/audit-facts.js")

test("what something was done to is told by its name, or by its id where there is none", () => {
  assert.equal(nameOf("01abc", { username: "anna", role: "member" }), "anna")
  assert.equal(nameOf("01abc", { label: "First account" }), "First account")
  assert.equal(nameOf("01abc", { label: "", name: 5 }), "01abc")
})

test("what changed is told as it was and as it is, what is empty as a dash, and the name not twice", () => {
  const details = { username: "anna", before: { role: "member", group: null }, after: { role: "admin", group: "class" }, count: 0, models: ["a"] }
  assert.deepEqual(factsOf(details), ["role: member → admin", "group: – → class", "count: 0", 'models: ["a"]'])
  assert.deepEqual(factsOf({}), [])
})
