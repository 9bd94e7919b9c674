import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { getElementById: () => null, documentElement: { lang: "en", dataset: {} } }
const { fitted, languageToHear } = await import("app/chat/dictation.js")

test("what is heard gets a blank where words need one", () => {
  assert.equal(fitted("", " hello ", ""), "hello")
  assert.equal(fitted("hello", "world", ""), " world")
  assert.equal(fitted("hello ", " world", ""), "world")
  assert.equal(fitted("hello", "big", "world"), " big ")
  assert.equal(fitted("hello", ", world", ""), ", world")
  assert.equal(fitted("one\n", "two", "."), "two")
  assert.equal(fitted("(", "two", ")"), "two")
  assert.equal(fitted("hello", "  ", ""), "")
})

test("Chinese and Japanese need none", () => {
  assert.equal(fitted("你好", "世界", "。"), "世界")
  assert.equal(fitted("今日は", "いい天気", "です"), "いい天気")
  assert.equal(fitted("你好，", "Python", ""), "Python")
})

test("the browser is told the page's language, with the reader's own region", () => {
  assert.equal(languageToHear("en", ["de-DE", "en-GB", "en-US"]), "en-GB")
  assert.equal(languageToHear("en", ["de-DE", "en"]), "en-US")
  assert.equal(languageToHear("zh-CN", ["zh-TW", "en"]), "zh-CN", "other characters")
  assert.equal(languageToHear("zh-Hant", ["zh-HK"]), "zh-HK")
  assert.equal(languageToHear("zh-Hant", []), "zh-TW")
  assert.equal(languageToHear("zh-Hant", ["zh-Hant"]), "zh-TW", "a script is no region")
  assert.equal(languageToHear("en", ["en-US@posix", "C"]), "en-US", "what is no language tag")
  assert.equal(languageToHear("ja", []), "ja-JP")
})
