import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const words = readFileSync(new URL("../../flask_app/locales/en/chat.json", import.meta.url), "utf8")
globalThis.document = {
  documentElement: { lang: "en", dataset: { timezone: "Asia/Shanghai" } },
  getElementById: () => ({ textContent: words }),
  querySelector: () => null,
}
const { costWords, shareWords, stateOf, takenWords, tokensOf } = await import("app/chat/context-meter.js")

test("from four fifths on it is low, and full at the window's end", () => {
  const states = [0, 79_999, 80_000, 99_999, 100_000, 120_000].map((tokens) => stateOf(tokens, 100_000))
  assert.deepEqual(states, ["open", "open", "low", "low", "full", "full"])
  assert.equal(stateOf(10_000_000, null), "open", "nobody knows the window")
})

test("what is taken is told with its share, where the window is known", () => {
  assert.equal(takenWords(12_300, 128_000), "12,300 of 128,000 tokens (9.6%)")
  assert.equal(takenWords(12_300, null), "This conversation has 12,300 tokens.")
})

test("a number alone says what it counts", () => {
  assert.equal(shareWords(12_300, 128_000), "9.6%")
  assert.equal(shareWords(60, null), "60 tokens")
  assert.equal(shareWords(252_000, null), "252K tokens")
})

test("the cost is the server's figures, and nothing without a price", () => {
  const words = costWords({ currency: "CNY", micros: 3_000, cached_micros: 300 })
  assert.match(words, /about ¥0\.003 before its answer; ¥0\.0003 if/)
  assert.equal(costWords({ currency: null, micros: null, cached_micros: null }), "")
  assert.match(costWords({ currency: "CNY", micros: 0, cached_micros: 0 }), /¥0\.00 /)
})

test("of a conversation that nobody knows yet nothing can be remembered", () => {
  const words = costWords({ currency: "CNY", micros: 3_000, cached_micros: 3_000 }, true)
  assert.equal(words, "The next message costs about ¥0.003 before its answer.")
})

test("what is written is estimated as the server estimates it", () => {
  const server = readFileSync(new URL("../../flask_app/domain/events.py", import.meta.url), "utf8")
  const [ascii, others] = ["ASCII", "OTHER"].map((kind) => Number(server.match(new RegExp(`^_${kind}_TOKENS = (\\S+)`, "m"))?.[1]))
  for (const [text, plain, rest] of [["", 0, 0], ["a", 1, 0], ["Why is it blue?\n", 16, 0], ["天为什么蓝 so?", 4, 5], ["👍🏽é", 0, 3]]) {
    assert.equal(tokensOf(text), Math.ceil(plain * ascii + rest * others), JSON.stringify(text))
  }
})
