import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const words = readFileSync(new URL("../../flask_app/locales/en/chat.json", import.meta.url), "utf8")
globalThis.document = {
  documentElement: { lang: "en", dataset: { timezone: "Asia/Shanghai" } },
  getElementById: () => ({ textContent: words }),
  querySelector: () => null,
}
const { costWords, stateOf, takenWords } = await import("app/chat/context-meter.js")

test("from four fifths on it is low, and full at the window's end", () => {
  const states = [0, 79_999, 80_000, 99_999, 100_000, 120_000].map((tokens) => stateOf(tokens, 100_000))
  assert.deepEqual(states, ["open", "open", "low", "low", "full", "full"])
  assert.equal(stateOf(10_000_000, null), "open", "nobody knows the window")
})

test("what is taken is told with its share, where the window is known", () => {
  assert.equal(takenWords(12_300, 128_000), "12,300 of 128,000 tokens (9.6%)")
  assert.equal(takenWords(12_300, null), "This conversation has 12,300 tokens.")
})

test("the cost is the server's figures, and nothing without a price", () => {
  const words = costWords({ currency: "CNY", micros: 3_000, cached_micros: 300 })
  assert.match(words, /about ¥0\.003 before its answer; ¥0\.0003 if/)
  assert.equal(costWords({ currency: null, micros: null, cached_micros: null }), "")
  assert.match(costWords({ currency: "CNY", micros: 0, cached_micros: 0 }), /¥0\.00 /)
})
