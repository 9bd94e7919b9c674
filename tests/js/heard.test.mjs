import assert from "node:assert/strict"
import { test } from "node:test"
import { Heard } from "app/chat/heard.js"
import { sentencesOf } from "app/chat/speakable.js"

const text = (value) => ({ nodeType: 3, nodeValue: value, textContent: value, childNodes: [] })
/** As much of an element as is read. */
function element(tagName, attributes, ...children) {
  const childNodes = children.map((child) => (typeof child === "string" ? text(child) : child))
  const textContent = childNodes.map((child) => child.textContent).join("")
  return { nodeType: 1, tagName, childNodes, textContent, getAttribute: (name) => attributes[name] ?? null }
}
const make = (tagName) => (...children) => element(tagName, {}, ...children)
const [div, p, ul, li, code, pre, strong] = ["DIV", "P", "UL", "LI", "CODE", "PRE", "STRONG"].map(make)
const heard = (at) => new Heard({ code: (lines) => `code of ${lines}`, formula: "a formula" }, at)

test("a sentence is said once it has come to its end, and once", () => {
  const here = heard()
  const grown = ["It", "It is.", "It is. Now", "It is. Now more", "It is. Now more.", "It is. Now more. Th"]
  assert.deepEqual(grown.map((words) => here.next(div(p(words)))), [[], [], ["It is."], [], [], ["Now more."]])
  assert.deepEqual(here.next(div(p("It is. Now more. The end"), p("And")), {}), ["The end"], "what stands above is settled")
  assert.deepEqual(here.next(div(p("It is. Now more. The end"), p("And so")), { whole: true }), ["And so"])
})

test("blocks that are drawn in groups are the same blocks", () => {
  const here = heard()
  const group = (...children) => element("DIV", { class: "prose__group" }, ...children)
  assert.deepEqual(here.next(div(p("One."), "\n", p("Two. And"))), ["One.", "Two."])
  assert.deepEqual(here.next(div(p("One."), p("Two. And so."), group(p("Three."), "\n", p("Four. Fi")))), ["And so.", "Three.", "Four."])
  assert.deepEqual(here.at, { block: 3, line: 0, sentence: 1 })
})

test("Chinese and Japanese sentences have their own ends", () => {
  const here = heard()
  assert.deepEqual(here.next(div(p("你好。世界！真的吗？也"))), ["你好。世界！真的吗？"])
  assert.deepEqual(here.next(div(p("你好。世界！真的吗？也许。"))), [])
  assert.deepEqual(here.next(div(p("你好。世界！真的吗？也许。「そう。」と")), { whole: true }), ["也许。「そう。」と"])
})

test("a number, a list's sign and an open sign end no sentence", () => {
  const here = heard()
  assert.deepEqual(here.next(div(p("Pi is 3."))), [])
  assert.deepEqual(here.next(div(p("Pi is 3.14 and **more. Bold"))), [], "the signs will be gone")
  assert.deepEqual(here.next(div(p("Pi is 3.14 and ", strong("more. Bold"), ". It"))), ["Pi is 3.14 and more. Bold."])
  assert.deepEqual(heard().next(div(p("See ", code("a[0] * *b"), ". Then"))), ["See a[0] * *b."], "code has no signs")
})

test("code is its lines, a formula its TeX, a table its rows, each once it is settled", () => {
  const formula = (tex) => element("SPAN", { "data-tex": tex }, make("SPAN")("drawn"))
  const row = (...cells) => make("TR")(...cells.map((cell) => make("TD")(cell)))
  const blocks = [
    make("FIGURE")(make("FIGCAPTION")("python"), pre(code("a\nb\n"))),
    p("So ", formula("x^2"), " and ", formula("x".repeat(80)), "."),
    make("DIV")(make("TABLE")(make("TBODY")(row("Anna", "1"), row("Bob", "2")))),
    ul(li("one"), li("two")),
  ]
  const here = heard()
  const said = blocks.map((_, count) => here.next(div(...blocks.slice(0, count + 1))))
  assert.deepEqual(said, [[], ["code of 2"], ["So x^2 and a formula .", "Anna, 1"], ["Bob, 2", "one"]])
  assert.deepEqual(here.next(div(...blocks), { whole: true }), ["two"])
})

test("what was heard before is not said again, wherever the answer is told anew", () => {
  const first = heard()
  const answer = div(p("One. Two. Three"), p("Four. Five. Si"))
  assert.deepEqual(first.next(answer), ["One. Two. Three", "Four. Five."])
  assert.deepEqual(first.next(div(p("One. T"))), [], "it begins anew")
  assert.deepEqual(first.next(answer), [])
  assert.deepEqual(heard(first.at).next(div(p("One. Two. Three"), p("Four. Five. Six."))), [], "by another page")
  assert.deepEqual(heard(first.at).next(div(p("One. Two. Three"), p("Four. Five. Six. Seven"))), ["Six."])
})

test("an answer that ends and goes on is said on from there", () => {
  const here = heard()
  assert.deepEqual(here.next(div(p("One. Two, ")), { whole: true }), ["One. Two,"])
  assert.deepEqual(here.next(div(p("One. Two, ")), { whole: true }), [])
  assert.deepEqual(here.next(div(p("One. Two, three. Fo"))), ["three."])
  assert.deepEqual(here.next(div(p("One. Two, three. Four")), { whole: true }), ["Four"])
})

test("the pieces of a long answer that comes in tokens are the answer, by far fewer", () => {
  const tokens = Array.from({ length: 400 }, (_, number) => `${number % 8 ? "w" : "W"}${number}${number % 8 === 7 ? "." : ""} `)
  const here = heard()
  let written = ""
  const said = tokens.flatMap((token) => here.next(div(p((written += token)))))
  said.push(...here.next(div(p(written)), { whole: true }))
  assert.equal(said.join(" "), written.trim())
  assert.equal(said.length, 50)
})

test("where the browser knows no sentences they are found by their ends", async () => {
  const { Segmenter } = Intl
  delete Intl.Segmenter
  try {
    const without = await import("../../flask_app/static/js/chat/speakable.js?without")
    for (const words of ["One is 1.5. “Two!” Three? 四。五！六", "no end"]) {
      assert.equal(without.sentencesOf(words).join(""), words)
      assert.deepEqual(without.sentencesOf(words), sentencesOf(words))
    }
  } finally {
    Intl.Segmenter = Segmenter
  }
})

test("a number that stands alone for a moment takes no words of the list that it belongs to", () => {
  const [ol, here] = [make("OL"), heard()]
  const steps = [[p("Intro."), ol(li("One is. It is."))], [p("Intro."), ol(li("One is. It is.")), p("2")]]
  const said = steps.map((blocks) => here.next(div(...blocks)))
  assert.deepEqual(said, [["Intro.", "One is."], ["It is."]])
  const more = div(p("Intro."), ol(li("One is. It is."), li("Two is. So."), li("Three")))
  assert.deepEqual(here.next(more), ["Two is. So."])
})

test("what has no words yet settles nothing above it", () => {
  const here = heard()
  assert.deepEqual(here.next(div(p("Some words. And"), make("H1")(""))), ["Some words."])
  assert.deepEqual(here.next(div(p("Some words. And #tag it is. And more. "))), ["And #tag it is."])
})
