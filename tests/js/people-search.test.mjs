import assert from "node:assert/strict"
import { test } from "node:test"
import { findPerson } from "app/admin/people-search.js"

globalThis.document = { querySelector: () => null }
globalThis.location = new URL("https://chat.example/admin/budgets")

/** @param {string} username */
function only(username) {
  globalThis.fetch = async () => new Response(JSON.stringify({ users: [{ id: "found", username }], next: null }), { headers: { "Content-Type": "application/json" } })
}

test("names are one that the server takes for one", async () => {
  for (const [kept, typed] of [["Straße", "strasse"], ["STRASSE", "straße"], ["STRAẞE", "Straße"], ["Ada", " ＡＤＡ "], ["ΟΔΟΣ", "οδοσ"], ["ﬁrst", "FIRST"]]) {
    only(kept)
    assert.equal(await findPerson(typed), "found", `${kept}, ${typed}`)
  }
})

test("part of a name is nobody's", async () => {
  only("Ada Lovelace")
  assert.equal(await findPerson("Ada"), null)
})
