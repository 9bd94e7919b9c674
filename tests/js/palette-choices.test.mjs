import assert from "node:assert/strict"
import { test } from "node:test"
import { Choices } from "app/palette/palette-choices.js"

const ALL = [
  { id: "new", label: "新对话", english: "New chat" },
  { id: "news", label: "Old news" },
  { id: "renew", label: "Renewal" },
  { id: "york", label: "New York, a plan" },
  { id: "dark", label: "外观：深色", english: "Theme Dark" },
  { id: "cafe", label: "Café réservé" },
  { id: "fjord", label: "什么是峡湾？为什么它这么深" },
  { id: "japanese", label: "ガラスの話" },
]
const ids = (words) => new Choices(ALL).fitting(words).map(({ id }) => id)

test("all are offered in their order where nothing is typed", () => {
  assert.deepEqual(ids(""), ALL.map(({ id }) => id))
  assert.deepEqual(ids("  ?! "), ALL.map(({ id }) => id), "signs alone are nothing")
})

test("what begins so comes before words that do, and those before what is within words", () => {
  assert.deepEqual(ids("new"), ["new", "york", "news", "renew"])
  assert.deepEqual(ids("NEW"), ids("new"))
})

test("a whole name is the first, wherever it stands", () => {
  assert.deepEqual(ids("renewal"), ["renew"])
  const choices = new Choices([{ id: "1", label: "Dark matter" }, { id: "2", label: "Dark" }])
  assert.deepEqual(choices.fitting("dark").map(({ id }) => id), ["2", "1"])
})

test("a choice is found in the reader's language and in English", () => {
  assert.deepEqual(ids("新对话"), ["new"])
  assert.deepEqual(ids("chat"), ["new"])
  assert.deepEqual(ids("外观 深"), ["dark"])
  assert.deepEqual(ids("dark the"), ["dark"], "words in any order")
})

test("Chinese and Japanese are found within, without blanks", () => {
  assert.deepEqual(ids("峡湾"), ["fjord"])
  assert.deepEqual(ids("深"), ["dark", "fjord"])
  assert.deepEqual(ids("ガラス"), ["japanese"])
  assert.deepEqual(ids("ｶﾞﾗｽ"), ["japanese"], "half as wide")
  assert.deepEqual(ids("カラス"), [], "another word: a crow, no glass")
})

test("every word must be there", () => {
  assert.deepEqual(ids("new plan"), ["york"])
  assert.deepEqual(ids("new moon"), [])
})

test("accents need not be typed, and wide letters are letters", () => {
  assert.deepEqual(ids("cafe reserve"), ["cafe"])
  assert.deepEqual(ids("café"), ["cafe"])
  assert.deepEqual(ids("ｎｅｗ　ｃｈａｔ"), ["new"])
})

test("the first letters of several words stand for them", () => {
  assert.deepEqual(ids("nc"), ["new"])
  assert.deepEqual(ids("nyap"), ["york"])
  assert.deepEqual(ids("r"), ["renew", "cafe", "york", "dark"], "one letter is no such thing")
})
