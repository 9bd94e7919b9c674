import assert from "node:assert/strict"
import { test } from "node:test"

const WORDS = { "js.dashboard.unpriced": "unpriced", "js.dashboard.free": "free" }
globalThis.document = {
  documentElement: { lang: "en", dataset: {} },
  getElementById: () => ({ textContent: JSON.stringify(WORDS) }),
}
globalThis.location = { origin: "https://chat.example" }
const { costText, formatSeconds } = await import("app/usage/figures.js")
const { formatDuration } = await import("app/i18n.js")
const { withParameter } = await import("app/addresses.js")

test("currencies stand side by side and are never added up", () => {
  const costs = [{ currency: "CNY", micros: 1_200_000 }, { currency: "USD", micros: 30_000 }]
  assert.equal(costText({ costs, requests: 2, unpriced_requests: 0 }), "¥1.20\u00a0+ $0.03")
})

test("a millionth of a currency's unit is still visible", () => {
  assert.equal(costText({ costs: [{ currency: "USD", micros: 1 }], requests: 1, unpriced_requests: 0 }), "$0.000001")
})

test("answers without a price are said to be unpriced, those of the local model free, no answers cost nothing to speak of", () => {
  assert.equal(costText({ costs: [], requests: 3, unpriced_requests: 1 }), "unpriced")
  assert.equal(costText({ costs: [], requests: 3, unpriced_requests: 0 }), "free")
  assert.equal(costText({ costs: [], requests: 0, unpriced_requests: 0 }), "–")
})

test("hundredths of a second count only below one", () => {
  assert.equal(formatSeconds(4567), "4.6s")
  assert.equal(formatSeconds(456), "0.46s")
  assert.equal(formatSeconds(4), "4ms")
})

test("a parameter is added or replaced, the others stay", () => {
  assert.equal(withParameter("/api/x?q=a%26b&before=1", "before", "2&3"), "/api/x?q=a%26b&before=2%263")
})

test("how long something took is said in words, one second being one", () => {
  assert.equal(formatDuration(1400), "1 second")
  assert.equal(formatDuration(12_345), "12 seconds")
  assert.equal(formatDuration(61_000), "1 minute 1 second")
})
