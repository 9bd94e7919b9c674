import assert from "node:assert/strict"
import { test } from "node:test"
import { asQuote, plainText } from "app/chat/plain-text.js"

const text = (value) => ({ nodeType: 3, nodeValue: value, textContent: value, childNodes: [] })
/** As much of an element as is read. */
function element(tagName, attributes, ...children) {
  const childNodes = children.map((child) => (typeof child === "string" ? text(child) : child))
  return {
    nodeType: 1,
    tagName,
    childNodes,
    textContent: childNodes.map((child) => child.textContent).join(""),
    getAttribute: (name) => attributes[name] ?? null,
    hasAttribute: (name) => name in attributes,
  }
}
const make = (tagName) => (...children) => element(tagName, {}, ...children)
const [div, p, ul, li, strong, br] = ["DIV", "P", "UL", "LI", "STRONG", "BR"].map(make)

test("blocks stand apart, signs are gone, soft breaks are spaces", () => {
  const answer = div(make("H3")("A title"), "\n", p("Some ", strong("strong"), "\nwords"), "\n", p("one", br(), "two"))
  assert.equal(plainText(answer), "A title\n\nSome strong words\n\none\ntwo")
})

test("lists keep their signs and numbers, and what is in them", () => {
  const inner = ul(li("deep"), li("deeper"))
  assert.equal(plainText(div(ul(li("one"), "\n", li("two\n", inner)))), "• one\n• two\n  • deep\n  • deeper")
  assert.equal(plainText(div(element("OL", { start: "3" }, li(p("c")), li(p("d"), p("more"))))), "3. c\n4. d\n  more")
})

test("code stays as it is, without the words of its head", () => {
  const head = make("FIGCAPTION")(make("SPAN")("python"), make("BUTTON")("Copy"))
  const code = make("FIGURE")(head, make("PRE")(make("CODE")("a = 1\n\n\n  b  = 2\n")))
  assert.equal(plainText(div(p("See"), code)), "See\n\na = 1\n\n\n  b  = 2")
})

test("a formula is its TeX, however it is drawn", () => {
  const formula = (tex, more = {}) => element("SPAN", { "data-tex": tex, ...more }, make("SPAN")("drawn twice"))
  assert.equal(plainText(p("where ", formula("x^2"), " is")), "where $x^2$ is")
  assert.equal(plainText(div(p(formula("y", { "data-display": "true" })))), "$$y$$")
})

test("a table is lines of cells", () => {
  const row = (...cells) => make("TR")(...cells.map((cell) => make("TD")(cell)))
  const table = make("TABLE")(make("THEAD")(row("a", "b")), make("TBODY")(row("1", "2"), row("3", "4")))
  assert.equal(plainText(div(make("DIV")(table))), "a\tb\n1\t2\n3\t4")
  assert.equal(plainText(div(row("1", "2"), row("3", "4"))), "1\t2\n3\t4")
})

test("a part of a list is lines", () => {
  assert.equal(plainText(div(li("wo"), li("three"))), "• wo\n• three")
})

test("pictures are their words, quotations are quotations", () => {
  assert.equal(plainText(p("see ", element("IMG", { alt: "a cat" }))), "see a cat")
  assert.equal(plainText(div(make("BLOCKQUOTE")(p("one"), p("two")))), "> one\n>\n> two")
})

test("every line of a quotation has its sign, and an empty line follows", () => {
  assert.equal(asQuote("  one\n\n\n\ntwo\n"), "> one\n>\n> two\n\n")
})
