import assert from "node:assert/strict"
import { test } from "node:test"

const WORDS = {
  "js.stats.change_more": "{share} more",
  "js.stats.change_less": "{share} less",
  "js.stats.change_same": "as much",
  "js.stats.none_before": "none before",
  "js.stats.none_now": "none now",
  "js.stats.cache_saved": "cached, saved {money}",
  "js.stats.cache_share": "cached",
  "js.stats.peak_extra": "at peak, {money} more",
  "js.stats.peak_share": "at peak",
}
globalThis.document = {
  documentElement: { lang: "en", dataset: {} },
  getElementById: () => ({ textContent: JSON.stringify(WORDS) }),
}
globalThis.location = { origin: "https://chat.example" }
const { changeWords, costChange, shares, shareText, withDays } = await import("app/usage/range.js")

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

const yuan = (micros) => ({ currency: "CNY", micros })
const dollars = (micros) => ({ currency: "USD", micros })

test("money is compared currency by currency, each by its name where there are several", () => {
  const seen = (now, before) => costChange(now, before)?.seen
  assert.equal(seen([yuan(112)], [yuan(100)]), "+12%")
  assert.equal(seen([yuan(112), dollars(50)], [yuan(100), dollars(100)]), "CNY\u00a0+12% · USD\u00a0−50%")
  assert.equal(costChange([yuan(112), dollars(50)], [yuan(100), dollars(100)])?.heard, "CNY: 12% more; USD: 50% less")
})

test("a currency that the one time has and the other has not is said by a word", () => {
  const seen = (now, before) => costChange(now, before)?.seen
  assert.equal(seen([yuan(100), dollars(3)], [yuan(100)]), "CNY\u00a00% · USD\u00a0none before")
  assert.equal(seen([yuan(100)], [yuan(100), dollars(3)]), "CNY\u00a00% · USD\u00a0none now")
  assert.equal(seen([dollars(3)], [yuan(100)]), "USD\u00a0none before · CNY\u00a0none now")
  assert.equal(seen([yuan(1)], []), "none before")
  assert.equal(seen([], [yuan(1)]), "none now")
})

test("where no money went there is nothing to say of it", () => {
  assert.equal(costChange([], []), null)
  assert.equal(costChange([yuan(0)], [yuan(-3)]), null, "more was refunded than used")
})

test("the cache's and the peak hours' share is told with the money that it saved or cost", () => {
  const sum = { prompt_tokens: 80, cached_tokens: 20, total_tokens: 100 }
  const told = (saved, extra) => shares({ sum, peak_tokens: 50, cache_saved: saved, peak_extra: extra })
  assert.deepEqual(told([yuan(1_500_000), dollars(20_000)], [yuan(250_000), dollars(0)]), {
    cache: "25%",
    "cache-note": "cached, saved ¥1.50\u00a0+ $0.02",
    peak: "50%",
    "peak-note": "at peak, ¥0.25 more",
  })
  const free = told([], [yuan(0)])
  assert.deepEqual([free["cache-note"], free["peak-note"]], ["cached", "at peak"])
})

test("without any use no share is told", () => {
  const nothing = { prompt_tokens: 0, cached_tokens: 0, total_tokens: 0 }
  assert.deepEqual(shares({ sum: nothing, peak_tokens: 0, cache_saved: [], peak_extra: [] }), {
    cache: "–",
    "cache-note": "",
    peak: "–",
    "peak-note": "",
  })
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
