import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { documentElement: { lang: "zh-CN", dataset: {} }, getElementById: () => ({ textContent: "{}" }) }
const { formatDuration } = await import("app/i18n.js")

test("whole seconds, and minutes where there are any, with a space before a Chinese unit", () => {
  assert.equal(formatDuration(12_345), "12 秒")
  assert.equal(formatDuration(59_600), "1 分钟")
  assert.equal(formatDuration(125_000), "2 分钟 5 秒")
})
