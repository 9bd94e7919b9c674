import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { GrowingMarkdown } from "app/markdown/blocks.js"
import { piecesOf } from "app/markdown/pieces.js"
import { plainRenderers } from "app/markdown/renderers.js"

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true }).use(plainRenderers)
const CODES = [
  "a = 1\n\n    ``` indented\n``\n``` no end\n ~~~\nb",
  "\n\n  \n\tx\r\ny\rz\0\u2028```\n",
  "````\n~~~~ \n",
  "",
  "one line without an end",
]
const OPENINGS = ["```", "```python", "~~~js title=x", "`````", "  ```"]

/** What is drawn of a text that comes in pieces of this size, code as it is added; and how many characters were parsed. */
function grown(text, size) {
  let parsed = 0
  const counting = { parse: (src, env) => ((parsed += src.length), parser.parse(src, env)) }
  const growing = new GrowingMarkdown(counting)
  const render = (tokens, env) => parser.renderer.render(tokens, parser.options, env)
  let settled = ""
  let open = null
  for (let at = 0; at < text.length; at += size) {
    const step = growing.push(text.slice(at, at + size))
    if (step.code !== undefined) open += step.code
    else {
      settled += render(step.settled, step.env)
      open = growing.isInCode ? step.tail[0].content : null
    }
    if (open !== null) assert.ok(text.replace(/\r\n?/g, "\n").replaceAll("\0", "\ufffd").includes(open), "it is of the text")
  }
  const { tail, env } = growing.end()
  if (open !== null) assert.ok(tail[0].content.startsWith(open), "nothing that is shown as code is anything else")
  return { page: settled + render(tail, env), parsed }
}

test("code that grows gives the same page as code at once, however it is cut", () => {
  for (const opening of OPENINGS) {
    for (const code of CODES) {
      for (const end of ["", "\n```", "\n~~~~~~  \n\n`x` and\n\n- more", "\n`````\n```\nmore\n```\nthen"]) {
        const text = `before\n${opening}\n${code}${end}`
        for (const size of [1, 2, 3, 5, 8, 64, text.length]) {
          assert.equal(grown(text, size).page, parser.render(text, {}), JSON.stringify({ text, size }))
        }
      }
    }
  }
})

test("an open fence is not parsed again as it grows, nor once it is closed", () => {
  const text = `\`\`\`python\n${"print(1)  # `one`\n".repeat(2_000)}\`\`\`\n`
  assert.ok(grown(text, 20).parsed < 2.1 * text.length)
  assert.ok(grown(`${text}\n${"words ".repeat(20)}`, 3).parsed < 2.5 * text.length)
})

test("a line that may yet close a fence waits until it is clear", () => {
  const growing = new GrowingMarkdown(parser)
  growing.push("```\nx\n")
  assert.deepEqual(["`", "``", "y\n", "  ", "z"].map((piece) => growing.push(piece).code), ["", "", "```y\n", "", "  z"])
  assert.equal(growing.push("\n```").code, "\n")
  assert.equal(growing.push("\n").settled[0].content, "x\n```y\n  z\n")
  assert.equal(growing.isInCode, false)
})

test("what comes behind the end is read too", () => {
  const growing = new GrowingMarkdown(parser)
  growing.push("```\nx\n")
  assert.equal(growing.end().tail[0].content, "x\n")
  const { tail } = growing.push("y\n")
  assert.equal(tail[0].content, "x\ny\n")
})

test("coloured code is cut where a line ends and no element is open", () => {
  const html = '<span class="a">x\n<span class="b">y\n</span></span>\nz &lt; 1\n\nend'
  assert.deepEqual(piecesOf(html, 1), ['<span class="a">x\n<span class="b">y\n</span></span>\n', "z &lt; 1\n", "\n", "end"])
  assert.deepEqual(piecesOf(html, 60), [html.slice(0, -4), "\nend"])
  assert.deepEqual(piecesOf("a\n", 1), ["a\n"])
  assert.deepEqual(piecesOf("", 1), [])
})
