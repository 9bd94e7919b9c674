import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { GrowingMarkdown } from "app/markdown/blocks.js"
import { formulas } from "app/markdown/formulas.js"
import { partsOf } from "app/markdown/parts.js"
import { plainRenderers } from "app/markdown/renderers.js"
import { unfinished } from "app/markdown/unfinished.js"

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(formulas).use(plainRenderers).use(unfinished)

const many = (part, count = 150) => Array.from({ length: count }, (_, at) => part.replaceAll("#", at + 1)).join("")
const TABLE = `| what | how many |\n|---|--:|\n${many("| thing **#** and some words | # |\n")}`
const LONG = {
  "a list": many("- thing **#** and some words\n"),
  "a numbered list": many("#. thing `#` and some words\n"),
  "a list with paragraphs": many("- thing #\n\n  some words more\n\n"),
  "a list of lists": many("1. **thing #**\n   - one\n   - two\n\n"),
  "a list of code": many("* thing\n\n  ```js\n  x = #\n\n  ```\n"),
  "a table": TABLE,
  "a table without signs at its sides": `a | b\n-|-\n${many("thing and some words | **#**\n")}`,
}
const OTHERWISE = {
  "a list that becomes one with paragraphs": `${LONG["a list"]}\n${LONG["a list"]}`,
  "a list with an item that is a table by itself": `${LONG["a list"]}- a | b\n-|-\n${LONG["a list"]}`,
  "a list of headings": many("- # heading #\n\n- ## some words\n\n"),
  "a list of no words": many("- ```\n  some words\n  ```\n", 200),
  "a list that refers": `${LONG["a list"]}- [it]\n${LONG["a list"]}- [it]: https://example.org\n${LONG["a list"]}`,
  "a list that is no list": `${LONG["a list"]}***\n${LONG["a list"]}`,
  "a table and a heading": `${TABLE}# no row\n`,
  "a table with empty cells": `| a | b | c |\n|---|---|---|\n${many("| thing and some words | | \n")}`,
}

for (const [name, text] of Object.entries({ ...LONG, ...OTHERWISE })) {
  for (const behind of ["", "\n\nAnd words.", "\n***bold* words", "\n\n12 words", "\n#tag | x"]) {
    test(`${name} and ${JSON.stringify(behind)}: at its end it is the whole`, () => {
      for (const size of [43, 300]) {
        const { settled } = grown(text + behind, size)
        assert.equal(settled, parser.render(text + behind, {}), `pieces of ${size}`)
      }
    })
  }
}

for (const [name, text] of Object.entries(LONG)) {
  test(`${name} goes out part by part, each as it will stay, and its last ones are parsed again`, () => {
    const { given, longest } = grown(`Words.\n\n${text}`, 11)
    assert.ok(longest < 2_200, `${longest} characters`)
    const whole = markup(parser.parse(text, {}))
    assert.ok(given.length > text.length / 2, "nearly all of it")
    assert.equal(whole.slice(0, given.length), given)
  })
}

test("what stands behind long parts looks as they do", () => {
  const growing = new GrowingMarkdown(parser)
  growing.push(`${LONG["a list with paragraphs"]}- thing 151`)
  assert.match(markup(growing.push(" and").tail), /<p>thing 151 and<\/p>/)
  const table = new GrowingMarkdown(parser)
  table.push(TABLE)
  assert.match(markup(table.push("| 151 | **one").tail), /<th>what<.*<strong>one<\/strong><\/td>/s)
})

test("a list that comes to have paragraphs goes out anew", () => {
  const growing = new GrowingMarkdown(parser)
  const text = OTHERWISE["a list that becomes one with paragraphs"]
  const steps = Array.from({ length: Math.ceil(text.length / 50) }, (_, at) => growing.push(text.slice(at * 50, at * 50 + 50)))
  assert.equal(steps.filter(({ isFirst }) => isFirst).length, 2)
})

test("an item that were a table by itself stays with the others", () => {
  const growing = new GrowingMarkdown(parser)
  const { tail, parts } = growing.push(`${LONG["a list"]}- a | b\n-|-\n`)
  assert.equal(parts, undefined)
  assert.match(markup(tail), /^<ul>.*thing <strong>1<.*<li>a \| b/s)
})

test("what stands behind a long table is no row of it", () => {
  const growing = new GrowingMarkdown(parser)
  growing.push(TABLE + "\n")
  const { settled, tail } = growing.push("After the table.")
  assert.match(markup(settled), /<\/table>/)
  assert.equal(markup(tail), "<p>After the table.</p>\n")
})

test("a table of empty cells stays whole, for its parser counts them", () => {
  const growing = new GrowingMarkdown(parser)
  const head = `|${"a|".repeat(20)}\n|${"-|".repeat(20)}\n`
  for (const row of Array(300).fill("| a b c d e f g h |\n")) assert.equal(growing.push(growing.tailLength ? row : head + row).parts, undefined)
})

test("a part that is long itself stays", () => {
  const growing = new GrowingMarkdown(parser)
  for (let at = 0; at < 200; at++) assert.equal(growing.push(at ? `  - thing ${at} and words\n` : "- a list\n").parts, undefined)
})

/** @param {string} text @param {number} size */
function grown(text, size) {
  const growing = new GrowingMarkdown(parser)
  let [settled, given, longest] = ["", "", 0]
  for (let at = 0; at < text.length; at += size) {
    const step = growing.push(text.slice(at, at + size))
    settled += markup(step.settled)
    if (step.isFirst) given = markup(partsOf(step.parts).open)
    if (step.parts) given += markup(partsOf(step.parts).parts.flat())
    longest = Math.max(longest, growing.tailLength)
  }
  return { settled: settled + markup(growing.end().tail), given, longest }
}

function markup(tokens) {
  return parser.renderer.render(tokens, parser.options, {})
}
