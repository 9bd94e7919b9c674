import assert from "node:assert/strict"
import { test } from "node:test"
import { languageOf, spokenPieces, withRegion } from "app/chat/spoken.js"

const text = (value) => ({ nodeType: 3, nodeValue: value, childNodes: [] })
/** As much of an element as is read. */
function element(tagName, attributes, ...children) {
  const childNodes = children.map((child) => (typeof child === "string" ? text(child) : child))
  return { nodeType: 1, tagName, childNodes, getAttribute: (name) => attributes[name] ?? null }
}
const make = (tagName) => (...children) => element(tagName, {}, ...children)
const [div, p, ul, li, strong, code] = ["DIV", "P", "UL", "LI", "STRONG", "CODE"].map(make)
const WORDS = { code: "Code, left out.", formula: "a formula", page: "en" }
const spoken = (node, words = WORDS) => spokenPieces(node, words)
const texts = (node) => spoken(node).map((piece) => piece.text)

test("words are read without signs, each block apart", () => {
  const answer = div(make("H3")("A title"), p("Some ", strong("strong"), "\nwords and ", code("x"), " 🎉"), ul(li("one"), li("two")), make("HR")())
  assert.deepEqual(texts(answer), ["A title", "Some strong words and x", "one", "two"])
})

test("the numbers of sources are not read", () => {
  const citation = (number) => element("A", { class: "citation" }, `[${number}]`)
  assert.deepEqual(texts(p("It rains ", citation(1), citation(2), ", they say ", citation(3), " again", citation(1), ".")), ["It rains, they say again."])
})

test("code is left out with a word, once for what follows each other", () => {
  const block = make("FIGURE")(make("FIGCAPTION")(make("SPAN")("python"), make("BUTTON")("Copy")), make("PRE")(code("x = 1")))
  assert.deepEqual(texts(div(p("See"), block, block, p("and"), block)), ["See", WORDS.code, "and", WORDS.code])
})

test("a formula is read where it is as simple as words", () => {
  const formula = (tex) => element("SPAN", { "data-tex": tex }, make("SPAN")("drawn twice"))
  assert.deepEqual(texts(p("where ", formula("x = 1"), " and ", formula("\\frac{1}{2}"), " hold")), ["where x = 1 and a formula hold"])
})

test("a table is read row by row", () => {
  const row = (...cells) => make("TR")(...cells.map((cell) => make("TD")(cell)))
  assert.deepEqual(texts(make("TABLE")(make("TBODY")(row("Anna", "1"), row("Bob", "2")))), ["Anna, 1", "Bob, 2"])
})

test("no piece is so long that a voice falls silent in it, and nothing is lost", () => {
  const long = `${"A sentence of some words. ".repeat(30)}${"endless,".repeat(60)} ${"x".repeat(450)} ${"没有空格的很长的一句话".repeat(40)}`
  const pieces = texts(p(long))
  assert.ok(pieces.length > 5)
  assert.deepEqual(pieces.filter((piece) => piece.length > 200), [])
  assert.equal(pieces.join("").replaceAll(" ", ""), long.replaceAll(" ", ""))
})

test("the language is guessed from the letters", () => {
  const guesses = {
    "How are you?": "en-US",
    "你好，用 Python 写一个函数": "zh-CN",
    "東京はいい天気です": "ja-JP",
    "안녕하세요": "ko-KR",
    "Как дела?": "ru-RU",
    "مرحبا": "ar-SA",
    "The word 茶 means tea": "en-US",
    "这个「の」是日语假名": "zh-CN",
    "1 + 1 = 2": "de",
  }
  for (const [words, language] of Object.entries(guesses)) assert.equal(languageOf(words, "de"), language, words)
  assert.equal(languageOf("你好", withRegion("zh-Hant")), "zh-TW", "the reader's own Chinese")
  assert.deepEqual(["zh-CN", "ja", "en"].map(withRegion), ["zh-CN", "ja-JP", "en-US"])
})

test("a heading without kana in a Japanese answer is Japanese, other languages in it are their own", () => {
  const pieces = spoken(div(make("H3")("東京都"), p("とてもいい天気です。"), p("It is sunny."), make("PRE")(code("x"))))
  assert.deepEqual(pieces.map(({ language }) => language), ["ja-JP", "ja-JP", "en-US", "en"])
})

test("a voice of the device goes before one that is asked over the net, then the very language", async () => {
  globalThis.document = { getElementById: () => null, querySelector: () => new HTMLElement(), documentElement: { lang: "en", dataset: {} } }
  globalThis.HTMLElement = class {}
  globalThis.MutationObserver = class { observe() {} }
  globalThis.addEventListener = () => undefined
  const { voiceFor } = await import("app/chat/read-aloud.js")
  const voice = (name, lang, localService = true) => ({ name, lang, localService, default: false })
  const voices = [voice("net", "zh-CN", false), voice("taiwan", "zh_TW"), voice("english", "en-GB"), voice("net english", "en-US", false)]
  assert.equal(voiceFor("zh-CN", voices).name, "taiwan")
  assert.equal(voiceFor("zh-Hant", [voice("mainland", "zh-CN"), ...voices]).name, "taiwan")
  assert.equal(voiceFor("en-US", voices).name, "english")
  assert.equal(voiceFor("zh-CN", voices.slice(0, 1)).name, "net")
  assert.equal(voiceFor("ja-JP", voices), null)
})
