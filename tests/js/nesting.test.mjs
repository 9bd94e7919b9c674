import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { GrowingMarkdown } from "app/markdown/blocks.js"
import { formulas } from "app/markdown/formulas.js"
import { keepDeepText } from "app/markdown/nesting.js"
import { plainRenderers } from "app/markdown/renderers.js"
import { spent } from "./spent.mjs"

const parser = new MarkdownIt({ html: false, linkify: true }).use(formulas).use(keepDeepText).use(plainRenderers)
const AFTER = "\n\nThe end of the answer.\n"

/** @param {number} depth @param {(level: number) => string} marker */
const steps = (depth, marker) =>
  Array.from({ length: depth }, (_, level) => `${" ".repeat(level * marker(level).length)}${marker(level)}word${level}.`).join("\n")

const DEEP = {
  "a bullet list": steps(120, () => "- "),
  "a numbered list": steps(120, () => "1. "),
  "a list on one line": `${"- ".repeat(120)}word0.`,
  "lists with paragraphs between": steps(70, () => "- ").replaceAll("\n", "\n\n"),
  quotations: `${">".repeat(150)} word0.\n${">".repeat(150)} word1.`,
  "quotations and lists": `${"> - ".repeat(80)}word0.`,
  "code within": `${steps(60, () => "- ")}\n${" ".repeat(122)}\`\`\`js\n${" ".repeat(122)}word60.\n${" ".repeat(122)}\`\`\``,
}

for (const [name, text] of Object.entries(DEEP)) {
  test(`nothing of ${name} is lost, however deep, nor what follows`, () => {
    const page = parser.render(text + AFTER)
    const words = text.match(/word\d+\./g) ?? []
    assert.ok(words.length > 0)
    for (const word of words) assert.equal(page.split(word).length, 2, word)
    assert.match(page, /<p>The end of the answer\.<\/p>\n$/, "outside of the list")
  })
}

test("a list that is not too deep is set as a list to its last item", () => {
  const page = parser.render(steps(48, () => "- "))
  assert.equal(page.split("<ul>").length, 49)
  assert.doesNotMatch(page, /<pre/)
})

test("deep text is plain: no markup of its own", () => {
  const page = parser.render(`${"- ".repeat(70)}<img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](https://example.com/b.png)`)
  assert.match(page, /&lt;img src=x/)
  assert.doesNotMatch(page, /<(?:img|a)\b/)
})

test("deep text that grows gives the same page as text at once", () => {
  const text = DEEP["a bullet list"] + AFTER
  const growing = new GrowingMarkdown(parser)
  let page = ""
  for (let at = 0; at < text.length; at += 97) {
    const { settled, env } = growing.push(text.slice(at, at + 97))
    page += parser.renderer.render(settled, parser.options, env)
  }
  const { tail, env } = growing.end()
  assert.equal(page + parser.renderer.render(tail, parser.options, env), parser.render(text, {}))
})

test("what is nested without end is parsed in no time to notice", () => {
  const took = spent(() => {
    parser.render("- ".repeat(50_000) + "x")
    parser.render("> ".repeat(50_000) + "x")
    parser.render(steps(400, () => "- "))
  })
  assert.ok(took < 2000, `${took} ms`)
})

test("nothing in a line is lost either", () => {
  for (const text of [`${"[".repeat(300)}word0.${"]".repeat(300)}`, `${"*_".repeat(150)}word0.${"_*".repeat(150)}`, `${"![".repeat(200)}word0.${"](u)".repeat(200)}`]) {
    assert.match(parser.render(text), /word0\./)
  }
})
