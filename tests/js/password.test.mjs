import assert from "node:assert/strict"
import { test } from "node:test"
import { strengthOf } from "app/password"

test("what is too short is never strong", () => {
  assert.equal(strengthOf("Tr0ub4dor&3"), 0)
})

test("what repeats or counts is weak however long", () => {
  for (const password of ["aaaaaaaaaaaaaaaaaaaa", "abcdefghijklmnopqrst", "12345678901234567890", "abababababababababab"]) {
    assert.equal(strengthOf(password), 1, password)
  }
})

test("a few unrelated words are strong, in Chinese too", () => {
  assert.ok(strengthOf("lantern river teapot orbit") >= 3)
  assert.ok(strengthOf("灯笼河流茶壶轨道月亮书桌雨伞石头") >= 2)
})
