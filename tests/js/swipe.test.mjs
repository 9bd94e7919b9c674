import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { getElementById: () => null, documentElement: { lang: "en", dataset: {} } }
const { isEnough, leads } = await import("app/chat/swipe.js")

test("a movement leads where it goes sideways, and the way that the list can go", () => {
  assert.equal(leads(20, 5, false), true)
  assert.equal(leads(-20, 5, true), true)
  assert.equal(leads(-20, 5, false), false, "there is nothing to close")
  assert.equal(leads(20, 5, true), false, "it is open already")
  assert.equal(leads(20, -30, false), false, "the page is scrolled")
})

test("it goes on by itself after a third of the list, or after less where it is fast", () => {
  assert.equal(isEnough(110, 320, 5000), true)
  assert.equal(isEnough(90, 320, 5000), false)
  assert.equal(isEnough(90, 320, 100), true)
  assert.equal(isEnough(10, 320, 1), false)
  assert.equal(isEnough(-200, 320, 100), false, "back again")
})
