import assert from "node:assert/strict"
import { test } from "node:test"

const WORDS = { "js.stats.change_more": "{share} more", "js.stats.change_less": "{share} less", "js.stats.change_same": "as much" }
globalThis.document = {
  documentElement: { lang: "en", dataset: {} },
  getElementById: () => ({ textContent: JSON.stringify(WORDS) }),
}
globalThis.location = { origin: "https://chat.example" }
const { changeWords, shareText, withDays } = await import("app/usage/range.js")

test("a change is seen as a share and heard in words", () => {
  assert.deepEqual(changeWords(112, 100), { seen: "+12%", heard: "12% more" })
  assert.deepEqual(changeWords(45, 100), { seen: "−55%", heard: "55% less" })
  assert.deepEqual(changeWords(100, 100), { seen: "0%", heard: "as much" })
  assert.deepEqual(changeWords(0, 7), { seen: "−100%", heard: "100% less" })
})

test("with nothing before there is nothing to compare", () => {
  assert.equal(changeWords(5, 0), null)
  assert.equal(changeWords(5, -3), null, "more was refunded than used")
})

test("a share is of something, and no more than all of it", () => {
  assert.equal(shareText(1, 4), "25%")
  assert.equal(shareText(0, 4), "0%")
  assert.equal(shareText(0, 0), null)
  assert.equal(shareText(5, 4), null)
  assert.equal(shareText(-1, 4), null)
})

test("a range goes into the query beside what is there", () => {
  assert.equal(withDays("/api/x?by=day", { from: "2026-11-01", to: "2026-11-25" }), "/api/x?by=day&from=2026-11-01&to=2026-11-25")
})
