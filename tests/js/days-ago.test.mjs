import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { documentElement: { lang: "en", dataset: { timezone: "Asia/Shanghai" } }, getElementById: () => null }
const { formatAgo } = await import("app/i18n.js")

const NOW = Date.parse("2026-11-05T01:00:00Z") // nine in the morning there

test("from a day on calendar days are counted, as the reader's zone has them", () => {
  assert.equal(formatAgo("2026-11-04T01:20:00Z", NOW), "24 hours ago")
  assert.equal(formatAgo("2026-11-04T00:00:00Z", NOW), "yesterday", "eight in the morning of the day before")
  assert.equal(formatAgo("2026-11-03T16:00:00Z", NOW), "yesterday", "its first moment")
  assert.equal(formatAgo("2026-11-03T15:59:59Z", NOW), "2 days ago", "a day and nine hours, but the day before yesterday")
  assert.equal(formatAgo("2026-10-29T15:00:00Z", NOW), "7 days ago")
})

test("an hour more or less when clocks change makes no other day", async () => {
  globalThis.document.documentElement.dataset.timezone = "Europe/Berlin"
  const { formatAgo } = await import(`${import.meta.resolve("app/i18n.js")}?berlin`)
  assert.equal(formatAgo("2026-10-24T22:30:00Z", Date.parse("2026-10-26T00:00:00Z")), "yesterday", "a day of 25 hours lies between")
  assert.equal(formatAgo("2026-10-24T21:30:00Z", Date.parse("2026-10-26T00:00:00Z")), "2 days ago")
})
