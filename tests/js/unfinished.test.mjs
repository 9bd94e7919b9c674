import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { GrowingMarkdown } from "app/markdown/blocks.js"
import { lineBreaks } from "app/markdown/breaks.js"
import { breakCjkEmphasis } from "app/markdown/emphasis.js"
import { formulas } from "app/markdown/formulas.js"
import { plainRenderers } from "app/markdown/renderers.js"
import { unfinished } from "app/markdown/unfinished.js"
import { spent } from "./spent.mjs"

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(lineBreaks).use(breakCjkEmphasis).use(formulas).use(plainRenderers).use(unfinished)

/** What has come so far, and what is shown of it. */
const SHOWN = {
  "One **two": "<p>One <strong>two</strong></p>",
  "One *two": "<p>One <em>two</em></p>",
  "One ***two": "<p>One <em><strong>two</strong></em></p>",
  "One ~~two": "<p>One <s>two</s></p>",
  "One __two *three": "<p>One <strong>two <em>three</em></strong></p>",
  "第一段，**重点": "<p>第一段，<strong>重点</strong></p>",
  "重点**内容": "<p>重点<strong>内容</strong></p>",
  "One **": "<p>One </p>",
  "One `two": "<p>One <code>two</code></p>",
  "One `": "<p>One </p>",
  "One ``two` three`": "<p>One <code>two` three</code></p>",
  "`one` and `two **": "<p><code>one</code> and <code>two **</code></p>",
  "See [the page": "<p>See the page</p>",
  "See [the page](https://exam": "<p>See the page</p>",
  "见[文档](https://exam": "<p>见文档</p>",
  "See ![a box](https://exam": "<p>See </p>",
  "One<": "<p>One</p>",
  "One<b": "<p>One</p>",
  "One<br": "<p>One</p>",
  "One<br /": "<p>One</p>",
  "One<br>two": "<p>One<br>\ntwo</p>",
  "One <bold": "<p>One &lt;bold</p>",
  "One `<br": "<p>One <code>&lt;br</code></p>",
  "| a |\n|---|\n| 一<br": "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>一</td>\n</tr>\n</tbody>\n</table>",
  "- one\n- **two": "<ul>\n<li>one</li>\n<li><strong>two</strong></li>\n</ul>",
  "## A **title": "<h3>A <strong>title</strong></h3>",
  "> **quoted": "<blockquote>\n<p><strong>quoted</strong></p>\n</blockquote>",
}

for (const [text, shown] of Object.entries(SHOWN)) {
  test(`${JSON.stringify(text)} is shown as what it will be`, () => assert.equal(grown(text), shown))
}

test("a table's head is a table before its second line has come", () => {
  for (const text of ["| a | b", "| a | b |", "| a | b |\n", "| a | b |\n|--", "\n| a | b |\n|:--|"]) {
    assert.match(grown(text), /^<table>\s*<thead>\s*<tr>\s*<th>a<\/th>\s*<th>b<\/th>/, text)
  }
  assert.match(grown("| a | b |\n|---|--:|\n| 1"), /<th class="is-right">b[\s\S]*<td>1<\/td>/, "with its own, that counts")
})

test("a link's definition counts once it has come to its end, and is not shown before", () => {
  const growing = new GrowingMarkdown(parser)
  const shown = [..."See [a].\n\n[a]: https://example.org 'It'\n\n[a]"].map((sign) => render(growing.push(sign)))
  const addresses = shown.flatMap((page) => /href="([^"]*)"(?: title="It")?/.exec(page)?.[0] ?? [])
  assert.deepEqual([...new Set(addresses)], ['href="https://example.org" title="It"'])
  assert.doesNotMatch(shown.join(""), /example(?!\.org" title)/)
  for (const text of ["[^1]: some words", "[张三]: 你好", "[a]: ftp", "[a]:b", "[a] https://example.org"]) {
    assert.equal(grown(text), parser.render(text, {}).trimEnd(), text)
  }
})

test("a definition that comes leaves what stands before it alone", () => {
  const growing = new GrowingMarkdown(parser)
  assert.equal(growing.push("One.\n\n[a]: https://exa").settled.length, 3)
  assert.deepEqual(growing.push("mple.org\n").settled, [])
  assert.equal(render(growing.push("\nTwo.")), "<p>Two.</p>")
})

test("signs that are words stay", () => {
  for (const text of ["2 * 3", "5*x", "a_b", "snake_case_", "arr[i", "a \\[x", "\\*no", "\\`no", "costs $5", "(a]b", "2**3"]) {
    const plain = parser.render(text, {}).trimEnd()
    assert.equal(grown(text), plain, text)
  }
})

test("what is over keeps its signs, and so does the text that has ended", () => {
  assert.equal(grown("One **two\n\n"), "<p>One **two</p>")
  const growing = new GrowingMarkdown(parser)
  growing.push("One **two and `three")
  assert.equal(render(growing.end()), "<p>One **two and `three</p>")
})

test("what is settled is as it is at once, however it is cut", () => {
  const text = "One **two\n\n`three\n\n- **four\n- five*\n\n```\n| a |\n\n**six\n```\n\n| a | b |\n\n| a | b |\n|---|---|\n| 1 | **2 |\n\nThe end."
  for (const size of [1, 2, 3, 7]) {
    const growing = new GrowingMarkdown(parser)
    let page = ""
    for (let at = 0; at < text.length; at += size) {
      const { settled, env } = growing.push(text.slice(at, at + size))
      page += parser.renderer.render(settled, parser.options, env)
    }
    const { tail, env } = growing.end()
    assert.equal(page + parser.renderer.render(tail, parser.options, env), parser.render(text, {}), `pieces of ${size}`)
  }
})

test("code that grows is left alone", () => {
  assert.equal(grown("```\n**two\n| a |"), '<pre data-language=""><code>**two\n| a |</code></pre>')
  assert.equal(grown("- **one\n\n  ```\n  x"), grown("- \\*\\*one\n\n  ```\n  x"), "what stands before it is over")
})

test("beginnings without end take no time to notice", () => {
  const pieces = ["*a ", "**a", "`".repeat(3) + " ", "[", "![", "](", "[a](", "| ", "~~a ", "\\`", "<br", "<br ", "[a]: h", "[a]:\nh\n'", "[a]: h ' "]
  const took = spent(() => pieces.forEach((piece) => grown(piece.repeat(20_000))))
  const plain = spent(() => pieces.forEach((piece) => parser.render(piece.repeat(20_000), {})))
  assert.ok(took < Math.max(2000, 4 * plain), `${took} ms, ${plain} ms without`)
})

/** @param {string} text */
function grown(text) {
  return render(new GrowingMarkdown(parser).push(text))
}

function render({ settled = [], tail, env }) {
  return parser.renderer.render([...settled, ...tail], parser.options, env).trimEnd()
}

for (const [name, text] of Object.entries({
  "empty lines before a word": `${"\n".repeat(60_000)}x`,
  "back ticks within code": `\` ${"`".repeat(60_000)}x`,
})) {
  test(`${name} are looked at once`, () => {
    const took = spent(() => new GrowingMarkdown(parser).push(text))
    assert.ok(took < 1000, `${took} ms`)
  })
}
