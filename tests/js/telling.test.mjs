import assert from "node:assert/strict"
import { test } from "node:test"

const { pagesIn, passagesOf, tellings, tokensOf } = await import("app/chat/telling.js")

const file = (tokens, more = {}) => ({ id: "f", name: "a.pdf", kind: "document", tokens, pages: 100, ...more })
const hows = (files, room) => tellings(files, room).map(({ how, tokens }) => `${how} ${tokens}`)
const room = (window, left = window) => ({ window, left })

test("what takes more than half of what the model reads is searched", () => {
  assert.deepEqual(hows([file(50_000)], room(100_000)), ["whole 50000"])
  assert.deepEqual(hows([file(50_001)], room(100_000)), ["search 8000"])
  assert.deepEqual(hows([file(9_000)], room(16_000)), ["search 4000"])
})

test("half of what is left counts, also by those before it", () => {
  assert.deepEqual(hows([file(20_000)], room(100_000, 30_000)), ["search 8000"])
  assert.deepEqual(hows([file(40_000), file(40_000)], room(100_000)), ["whole 40000", "search 8000"])
  assert.deepEqual(hows([file(60_000), file(60_000)], room(100_000)), ["search 4000", "search 4000"])
})

test("a short one, a picture, and what a model of unknown size is told are whole", () => {
  assert.deepEqual(hows([file(2_000)], room(3_000, -50)), ["whole 2000"])
  assert.deepEqual(hows([file(90_000, { kind: "picture" })], room(100_000)), ["whole 90000"])
  assert.deepEqual(hows([file(9_000_000)], room(null, null)), ["whole 9000000"])
})

test("what the person has said holds", () => {
  const said = tellings([file(90_000, { told: "whole" }), file(500, { told: "search" }), file(1_000, { told: "pages", told_pages: "1-5" })], room(100_000))
  assert.deepEqual(said.map(({ how, tokens, isOwn }) => [how, tokens, isOwn]), [["whole", 90_000, true], ["search", 500, true], ["pages", 50, true]])
})

test("pages are counted as the server takes them", () => {
  for (const [words, count] of [["3-7, 12", 6], ["12,3–7", 6], ["1、2、3", 3], ["3 - 7；12", 6], ["１-３", 3], [" 20 ,", 1], ["5 5", 1], ["1-4, 2-3", 4]]) assert.equal(pagesIn(words, 20), count, words)
  for (const words of ["", ",", "0", "21", "7-3", "1-21", "one", "1-", "-1", "1-2-3"]) assert.equal(pagesIn(words, 20), null, words)
})

test("of pages that are not written yet all count", () => {
  assert.equal(tokensOf(file(1_000, { told_pages: "x" }), "pages", 0), 1_000)
  assert.equal(tokensOf(file(1_000, { pages: null }), "pages", 0), 1_000)
})

test("passages have a share of the context, and at least some", () => {
  assert.deepEqual([passagesOf(null, 1), passagesOf(16_000, 2), passagesOf(1_000, 10), passagesOf(128_000, 0, 6_000)], [8_000, 2_000, 800, 6_000])
})
