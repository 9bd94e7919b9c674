import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const words = readFileSync(new URL("../../flask_app/locales/ja/budgets.json", import.meta.url), "utf8")
globalThis.document = {
  documentElement: { lang: "ja", dataset: { timezone: "Asia/Tokyo" } },
  getElementById: () => ({ textContent: words }),
}
const { formatAgo, formatCompact, formatDateTime, formatDay, formatDuration, formatMoney, formatWeekday, leftWords } = await import("app/i18n.js")

const DAILY = { scope: "group", unit: "tokens", period: "day", hard: true, limit: 10_000, used: 4000, reserved: 0, full: 10_000, left: 6000, state: "open", renews_at: null }

test("another currency does not look like the reader's own", () => {
  assert.match(formatMoney(12_500_000, "CNY"), /^元.?12\.50$/u)
  assert.match(formatMoney(12_500_000, "JPY"), /^￥12\.50$/u)
})

test("numbers, days and times are written as in Japan", () => {
  assert.equal(formatCompact(123_456), "12.3万")
  assert.equal(formatDateTime("2026-11-04T22:05:00Z"), "2026/11/05 7:05")
  assert.equal(formatDay("2026-11-05"), "11月5日")
  assert.equal(formatDuration(12_345), "12 秒")
  assert.equal(formatDuration(125_000), "2 分 5 秒")
  assert.equal(formatWeekday("2026-11-05"), "木")
  assert.equal(formatAgo("2026-11-05T00:00:00Z", Date.parse("2026-11-05T00:03:00Z")), "3 分前")
})

test("whose budget it is stands before what is left of it", () => {
  assert.equal(leftWords(DAILY), "グループの今日の残り：6,000 トークン")
})
