import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const words = readFileSync(new URL("../../flask_app/locales/en/budgets.json", import.meta.url), "utf8")
globalThis.document = {
  documentElement: { lang: "en", dataset: { timezone: "Asia/Shanghai" } },
  getElementById: () => ({ textContent: words }),
}
const { leftWords, lineOfLeft } = await import("app/i18n.js")
const { limitOf } = await import("app/programs/limits.js")

const DAILY = { scope: "user", unit: "tokens", period: "day", hard: true, limit: 10_000, used: 4000, reserved: 0, full: 10_000, left: 6000, state: "open", renews_at: "2026-11-25T16:00:00Z" }

test("what is left is said with its period, and with whose it is where others share it", () => {
  assert.equal(leftWords(DAILY), "Left today: 6,000 tokens")
  assert.equal(leftWords({ ...DAILY, scope: "member", period: "week" }), "Left this week: 6,000 tokens")
  assert.equal(leftWords({ ...DAILY, scope: "group", period: "month" }), "Left this month for your group: 6,000 tokens")
  assert.equal(leftWords({ ...DAILY, scope: "site", unit: "CNY", left: 1_500_000 }), "Left today for everybody: ¥1.50")
})

test("where little is left, what answers hold is said too: it may come back", () => {
  const held = { ...DAILY, reserved: 5000, left: 1000 }
  assert.equal(leftWords(held), "Left today: 1,000 tokens")
  assert.match(leftWords({ ...held, state: "low" }), /^Left today: 1,000 tokens, and 5,000 tokens set aside/)
})

test("a balance is left, not left of a period, and says whom to ask when it is used up", () => {
  const balance = { ...DAILY, period: "prepaid", unit: "CNY", left: 12_300_000, renews_at: null }
  assert.equal(leftWords(balance), "Balance left: ¥12.30")
  assert.equal(leftWords({ ...balance, scope: "group" }), "Balance left for your group: ¥12.30")
  assert.match(leftWords({ ...balance, left: 0, state: "exhausted" }), /^Your balance is used up\. Ask your administrator for a top-up, or redeem a code on your usage page if you have one\.$/)
})

test("what is used up says when it renews in the reader's time zone, and whom to ask", () => {
  const said = leftWords({ ...DAILY, used: 9990, left: 10, state: "exhausted" })
  assert.match(said, /^Your daily budget \(10,000 tokens\) is used up\. It renews on Nov 26, 2026, 12:00\sAM\. Your administrator/)
  assert.match(leftWords({ ...DAILY, left: 10, state: "exhausted" }, { isAdmin: true }), /You can give it more on the budgets page\.$/)
  assert.match(leftWords({ ...DAILY, hard: false, used: 12_000, state: "exhausted" }), /has been reached: 12,000 tokens used\. It only warns/)
})

test("what is left today stands beside a tighter budget of another time", () => {
  const low = { ...DAILY, period: "month", left: 500, state: "low" }
  const shared = { ...DAILY, scope: "group", left: 2000 }
  assert.equal(lineOfLeft([DAILY, low]), "Left this month: 500 tokens · Left today: 6,000 tokens")
  assert.equal(lineOfLeft([DAILY, shared, low]), "Left this month: 500 tokens · Left today for your group: 2,000 tokens")
  assert.equal(lineOfLeft([{ ...DAILY, left: 100, state: "low" }, low]), "Left today: 100 tokens")
  assert.doesNotMatch(lineOfLeft([DAILY, { ...low, left: 0, state: "exhausted" }]), /today/)
  assert.equal(lineOfLeft([]), "")
})

test("a limit is more than nothing, a balance may begin with nothing", () => {
  assert.equal(limitOf("1,000", "tokens"), 1000)
  assert.equal(limitOf("0", "CNY", { least: 0 }), 0)
  for (const text of ["0", "1.5", "-1", "", "1".repeat(16)]) assert.throws(() => limitOf(text, "tokens"), { code: "mistake" })
})
