import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const catalogue = (name) => JSON.parse(readFileSync(new URL(`../../flask_app/locales/en/${name}.json`, import.meta.url), "utf8"))
const words = JSON.stringify({ ...catalogue("tool_calls"), ...catalogue("web_search") })
globalThis.document = { documentElement: { lang: "en", dataset: {} }, getElementById: () => ({ textContent: words }) }
const { contentsOf, limitOf, readable, stateWords, summaryWords } = await import("app/chat/call-list.js")
const { briefly } = await import("app/chat/call-bar.js")
const { Calls, isOpen } = await import("app/chat/calls.js")

const CALL = { id: "c1", round: 1, server: "Sky", tool: "sky__weather", title: "Weather", arguments: "{}", status: "done", error_code: null, result: "sunny", duration_ms: 20 }

test("a call is named as people read it, and one that waits for them before one that runs", () => {
  const running = { ...CALL, id: "c2", status: "running", title: "" }
  const waiting = { ...CALL, id: "c3", status: "waiting", title: "Storm" }
  assert.equal(summaryWords([CALL]), "Called “Weather”")
  assert.equal(summaryWords([CALL, running]), "Calling “sky__weather”")
  assert.equal(summaryWords([CALL, running, waiting]), "“Storm” waits for you to allow it")
  assert.equal(summaryWords([{ ...CALL, server: "", tool: "web_fetch", title: "whatever" }]), "Called “Open a page”", "in the reader's language")
  assert.equal(summaryWords([{ ...CALL, tool: "web_fetch" }]), "Called “Weather”", "a server's own")
  assert.deepEqual([CALL, running, waiting].map(isOpen), [false, true, true])
})

test("once all have ended, only those that were made are called", () => {
  const [refused, failed, stopped] = ["refused", "failed", "stopped"].map((status) => ({ ...CALL, id: status, status }))
  const late = { ...refused, id: "late", error_code: "tool_not_confirmed" }
  assert.equal(summaryWords([CALL, refused]), "Tools called: 1 · not allowed: 1")
  assert.equal(summaryWords([failed, CALL, { ...failed, id: "c4" }]), "Tools called: 1 · failed: 2")
  assert.equal(summaryWords([late, late]), "Tools called: 0 · not allowed in time: 2")
  assert.equal(summaryWords([stopped, failed, late, refused, CALL, CALL]), "Tools called: 2 · not allowed: 1 · not allowed in time: 1 · failed: 1 · stopped: 1")
  const alone = [refused, late, failed, stopped].map((call) => summaryWords([call]))
  assert.deepEqual(alone, ["Not allowed: Weather", "Not allowed in time: Weather", "Failed: Weather", "Stopped: Weather"])
})

test("why an answer goes on without tools is told once what it called has ended", () => {
  const most = { rounds: 8, calls: 24 }
  const last = { ...CALL, round: 8 }
  const many = Array.from({ length: 24 }, (_, at) => ({ ...CALL, id: `c${at}`, round: 1 + Math.floor(at / 8) }))
  const beyond = { ...CALL, id: "beyond", round: 4, status: "failed", error_code: "tool_too_many", duration_ms: null }
  assert.equal(limitOf([CALL, last], most), "rounds")
  assert.equal(limitOf([{ ...CALL, round: 7 }], most), null)
  assert.equal(limitOf(many, most), "calls")
  assert.equal(limitOf([...many, beyond], most), "calls")
  assert.equal(limitOf([...many.slice(1), beyond], most), null, "that one was not made")
  assert.equal(limitOf([...many, { ...last, id: "last" }], most), "rounds", "it is said once")
  assert.equal(limitOf([{ ...last, status: "refused", duration_ms: null }], most), "rounds")
  assert.equal(limitOf([{ ...last, status: "failed", error_code: "tool_unknown", duration_ms: null }], most), "rounds")
  for (const status of ["waiting", "running", "stopped"]) assert.equal(limitOf([{ ...last, status }], most), null, status)
  assert.equal(limitOf([{ ...last, status: "failed", error_code: "budget_exhausted", duration_ms: null }], most), null, "the answer ended there")
})

test("of the web people see what was asked, and not what the model is told of it", () => {
  const search = { ...CALL, server: "", tool: "web_search", arguments: '{"query":"boats\u202e"}', result: '<web_search query="boats">\n<source number="1">' }
  assert.deepEqual(contentsOf(search), ["boats\\u202e", ""])
  assert.deepEqual(contentsOf({ ...search, result: "The search found nothing." }), ["boats\\u202e", "The web search for “boats\\u202e” found nothing"])
  assert.deepEqual(contentsOf({ ...search, status: "failed", result: "It failed: interrupted." }), ["boats\\u202e", ""])
  assert.deepEqual(contentsOf({ ...search, tool: "web_fetch", arguments: '{"url":"https://a.example/"}' }), ["https://a.example/", ""])
  for (const broken of ["null", "[", '{"query":1}']) assert.deepEqual(contentsOf({ ...search, arguments: broken })[1], "", broken)
  assert.deepEqual(contentsOf({ ...search, arguments: '{"quer' }), ['{"quer', ""])
  assert.deepEqual(contentsOf({ ...search, server: "Sky" })[1], search.result, "a server's own is shown as it came")
})

test("above the composer a long name leaves room for what it waits for", () => {
  assert.equal(briefly("a".repeat(32)), "a".repeat(32))
  assert.equal(briefly("a".repeat(33)), `${"a".repeat(32)}…`)
  assert.equal(briefly("查".repeat(17)), `${"查".repeat(16)}…`)
  assert.equal(briefly(`${"a".repeat(31)}💻b`), `${"a".repeat(31)}…`, "no sign is halved")
})

test("how one has gone is said, and why where there are words for that", () => {
  assert.equal(stateWords(CALL), "Done")
  assert.equal(stateWords({ status: "failed", error_code: "mcp_timeout" }), "No answer in time")
  assert.equal(stateWords({ status: "failed", error_code: "of_another_version" }), "Failed")
  assert.equal(stateWords({ status: "refused", error_code: "tool_not_confirmed" }), "Not allowed in time")
  assert.equal(stateWords({ status: "refused", error_code: null }), "Not allowed")
})

test("arguments stand in lines, those that are no JSON as they came, and none say nothing", () => {
  assert.equal(readable('{"city":"Oslo","days":[1]}'), '{\n  "city": "Oslo",\n  "days": [\n    1\n  ]\n}')
  assert.equal(readable('{"city": "Os'), '{"city": "Os')
  assert.equal(readable("{}"), "")
  assert.equal(readable('"word"'), '"word"')
  assert.equal(readable("null"), "null")
})

test("who allows a call sees what is sent, to the letter", () => {
  assert.equal(readable('{"to":"me\u202e\u{e0041}\u200b"}'), '{\n  "to": "me\\u202e\\udb40\\udc41\\u200b"\n}')
  assert.equal(readable('{"to":"a\\u202eb"}'), '{\n  "to": "a\\u202eb"\n}', "also where the model wrote it so")
  assert.equal(readable('not JSON \u2067'), "not JSON \\u2067")
  assert.equal(readable('{"text":"👩\u200d💻 ❤\ufe0f"}'), '{\n  "text": "👩\u200d💻 ❤\ufe0f"\n}', "these are seen")
  assert.equal(readable('{"account":12345678901234567891}'), '{"account":12345678901234567891}')
})

test("what is deep fills no page with blanks", () => {
  const deep = '{"a":'.repeat(5000) + "1" + "}".repeat(5000)
  assert.equal(readable(deep), deep)
})

test("what a call can fail by has words", () => {
  const codes = ["mcp_error", "mcp_failed", "mcp_garbage", "mcp_too_large", "mcp_redirects", "mcp_asks_more", "mcp_version", "mcp_address_private"]
  const ofTheWeb = ["bad_search_query", "bad_link", "page_empty", "link_not_found", "no_provider_search", "searxng_unreachable", "upstream_timeout"]
  for (const code of [...codes, ...ofTheWeb, "tool_server_secret_unreadable"]) {
    assert.notEqual(stateWords({ status: "failed", error_code: code }), "Failed", code)
  }
})

test("what was open when the answer ended has been stopped", () => {
  const place = { hidden: true, replaceChildren() {} }
  const calls = new Calls(/** @type {any} */ (place), () => "r1")
  assert.equal(calls.isOpen, false)
  calls.take({ ...CALL, status: "running" })
  assert.equal(calls.isOpen, true)
  assert.equal(place.hidden, false)
  calls.end()
  assert.equal(calls.isOpen, false)
  calls.clear()
  assert.equal(place.hidden, true)
})
