import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const words = readFileSync(new URL("../../flask_app/locales/zh-Hant/budgets.json", import.meta.url), "utf8")
globalThis.document = {
  documentElement: { lang: "zh-Hant", dataset: { timezone: "Asia/Taipei" } },
  getElementById: () => ({ textContent: words }),
}
const { formatAgo, formatCompact, formatDateTime, formatDuration, formatMoney, formatWeekday, leftWords } = await import("app/i18n.js")

test("another currency does not look like the reader's own", () => {
  assert.equal(formatMoney(12_500_000, "USD"), "US$12.50")
  assert.equal(formatMoney(12_500_000, "TWD"), "$12.50")
})

test("numbers, days and times are written as in Taiwan", () => {
  assert.equal(formatCompact(123_456), "12.3萬")
  assert.equal(formatDateTime("2026-11-05T06:05:00Z"), "2026年11月5日 下午2:05")
  assert.equal(formatDuration(12_345), "12 秒")
  assert.equal(formatDuration(125_000), "2 分鐘 5 秒")
  assert.equal(formatWeekday("2026-11-05"), "週四")
  assert.equal(formatAgo("2026-11-05T00:00:00Z", Date.parse("2026-11-05T00:03:00Z")), "3 分鐘前")
})

test("what is left is said in full-width punctuation", () => {
  const used = { scope: "user", unit: "tokens", period: "day", hard: true, limit: 10_000, used: 10_000, reserved: 0, full: 10_000, left: 0, state: "exhausted", renews_at: "2026-11-25T16:00:00Z" }
  assert.match(leftWords(used), /^你的每日額度（共 10,000 個詞元）已用完，2026年11月26日 凌晨12:00 重新計算。/u)
})
