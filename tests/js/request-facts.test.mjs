import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const read = (name) => JSON.parse(readFileSync(new URL(`../../flask_app/locales/en/${name}.json`, import.meta.url), "utf8"))
globalThis.document = {
  documentElement: { lang: "en", dataset: { timezone: "Asia/Shanghai" } },
  getElementById: () => ({ textContent: JSON.stringify({ ...read("requests"), ...read("records"), ...read("dashboard") }) }),
}
const { factsOf } = await import("app/programs/request-facts.js")

const REQUEST = {
  id: "01a",
  created_at: "2026-11-28T12:00:00Z",
  token_id: "01t",
  token_name: null,
  call: "other",
  model: null,
  actual_model: null,
  status: 404,
  error_code: "not_found",
  attempts: 0,
  first_token_ms: null,
  duration_ms: 3,
  bytes_sent: 12345,
  request_id: "01r",
  attempt_id: null,
  record_id: null,
  address: "192.0.2.1",
}

test("what is not known of a request is left out, and a token that has no name is told by its id", () => {
  const facts = Object.fromEntries(factsOf(REQUEST))
  assert.equal(facts["js.records.fact_token"], "01t")
  assert.equal(facts["js.requests.fact_call"], "another address")
  assert.equal(facts["js.requests.fact_bytes"], "12,345")
  assert.ok(!("js.requests.fact_user" in facts) && !("js.records.fact_first_token" in facts) && !("js.records.fact_model" in facts))
})

test("a first token that came at once is known", () => {
  const facts = Object.fromEntries(factsOf({ ...REQUEST, first_token_ms: 0, call: "messages", token_name: "editor" }))
  assert.ok("js.records.fact_first_token" in facts)
  assert.equal(facts["js.requests.fact_call"], "messages")
  assert.equal(facts["js.records.fact_token"], "editor")
})
