import assert from "node:assert/strict"
import { test } from "node:test"

import { levelsOf, placesOf } from "app/usage/year.js"

test("a calendar's weeks begin on Monday, and the first may be short", () => {
  const places = placesOf(2026)
  assert.equal(places.length, 365)
  assert.deepEqual(places[0], { day: "2026-01-01", week: 0, weekday: 3 }, "a Thursday")
  assert.deepEqual(places[4], { day: "2026-01-05", week: 1, weekday: 0 })
  assert.deepEqual(places.at(-1), { day: "2026-12-31", week: 52, weekday: 3 })
})

test("no year needs more than 54 weeks, and each day has a place of its own", () => {
  for (let year = 1970; year < 2070; year++) {
    const places = placesOf(year)
    assert.equal(new Set(places.map(({ week, weekday }) => week * 7 + weekday)).size, places.length)
    assert.ok(places.every(({ week }) => week <= 53), String(year))
  }
  assert.equal(placesOf(2028).length, 366)
  assert.equal(placesOf(2028).at(-1).week, 52)
  assert.equal(placesOf(2000).at(-1).week, 52)
})

test("levels are quarters of the days that have any", () => {
  assert.deepEqual(levelsOf([0, 1, 2, 3, 4]), [0, 1, 2, 3, 4])
  assert.deepEqual(levelsOf([0, 10, 1_000_000]), [0, 2, 4])
  assert.deepEqual(levelsOf([7]), [4])
  assert.deepEqual(levelsOf([5, 5, 5]), [4, 4, 4], "equal days look equal")
  assert.deepEqual(levelsOf([0, -3]), [0, 0], "what refunds have left")
  assert.deepEqual(levelsOf([]), [])
})
