import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { commonOf, refusalOf, strengthOf } from "app/account/password.js"
import { spent } from "./spent.mjs"

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8")
const common = commonOf(read("../../flask_app/static/common-passwords.txt"))
const cases = JSON.parse(read("../passwords.json"))

test("the meter refuses exactly what the server refuses", () => {
  assert.ok(cases.length > 30)
  for (const { password, username, refusal } of cases) assert.equal(refusalOf(password, username, common), refusal, password)
})

test("a few unrelated words are strong, in Chinese too", () => {
  assert.ok(strengthOf("lantern river teapot orbit") >= 3)
  assert.ok(strengthOf("灯笼河流茶壶轨道月亮书桌雨伞石头") >= 2)
})

test("the longest password is judged between two keystrokes", () => {
  const longest = "1a@".repeat(40) + "12345678"
  refusalOf(longest, "a".repeat(64), common)
  const took = spent(() => refusalOf(longest, "a".repeat(64), common))
  assert.ok(took < 200, `${took} ms`)
})
