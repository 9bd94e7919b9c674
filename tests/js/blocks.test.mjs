import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { GrowingMarkdown, eachBlock } from "app/markdown/blocks.js"
import { lineBreaks } from "app/markdown/breaks.js"
import { breakCjkEmphasis } from "app/markdown/emphasis.js"
import { formulas } from "app/markdown/formulas.js"
import { plainRenderers } from "app/markdown/renderers.js"

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(lineBreaks).use(breakCjkEmphasis).use(formulas).use(plainRenderers)

const TEXT = `## 标题

第一段,**重点。**后面。
还是第一段

- 一
- 二

  二的第二段

  1. 二之一

> 引用
懒续行

\`\`\`python
print("a")

# 不是标题
\`\`\`

$$
a = b

+ c
$$

| a | b |
|---|:-:|
| 1 | 2<br>3 |

一行<br />
二行<br>三行

Setext
===

    indented

\\[ x^2 \\]

last *line*`

test("text that grows gives the same page as text at once, however it is cut", () => {
  const whole = parser.render(TEXT, {})
  for (const size of [1, 2, 3, 7, 20, 64, TEXT.length]) assert.equal(grown(TEXT, size), whole, `pieces of ${size}`)
})

test("what is settled is never drawn again", () => {
  const growing = new GrowingMarkdown(parser)
  growing.push("one\n\n")
  assert.equal(growing.push("two").settled.length > 0, true, "a second block settles the first")
  assert.equal(growing.push("\n\n## three").settled.some((token) => token.content === "one"), false)
})

test("only the tail is parsed again in a long answer", () => {
  const growing = new GrowingMarkdown(parser)
  let longest = 0
  for (let n = 0; n < 200; n++) {
    growing.push(`paragraph ${n} with some words\n\n`)
    longest = Math.max(longest, growing.tailLength)
  }
  assert.ok(longest > 0, "there must be a tail")
  assert.ok(longest < 100, `${longest} characters`)
})

test("an open formula waits while text arrives and is text when none comes", () => {
  const growing = new GrowingMarkdown(parser)
  assert.match(render(growing.push("$$\nx = 1\n\ny")), /class="formula"/)
  assert.doesNotMatch(render(growing.end()), /class="formula"/)
})

test("a link that is defined at the end changes the blocks that refer to it, and no others", () => {
  const text = `${TEXT}\n\nsee [it][1] and [that]\n\n- [x] in a list: [it][1]\n\nnothing [here][2]\n\n[1]: https://example.org/a\n[that]: https://example.org/b\n`
  const growing = new GrowingMarkdown(parser)
  const drawn = []
  for (let at = 0; at < text.length; at += 5) {
    const { settled, env } = growing.push(text.slice(at, at + 5))
    drawn.push(...markups(settled, env))
  }
  const { tail, env } = growing.end()
  drawn.push(...markups(tail, env))
  const env2 = {}
  const whole = markups(parser.parse(text, env2), env2)
  assert.equal(whole.join(""), parser.render(text, {}), "each block by itself is all of them")
  assert.equal(drawn.length, whole.length)
  const others = whole.filter((markup, at) => markup !== drawn[at])
  assert.equal(others.length, 2)
  assert.match(others[0], /href="https:\/\/example.org\/a">it<.*href="https:\/\/example.org\/b">that</)
  assert.match(others[1], /^<ul>/)
})

function markups(tokens, env) {
  return eachBlock(tokens).map((block) => parser.renderer.render(block, parser.options, env))
}

function grown(text, size) {
  const growing = new GrowingMarkdown(parser)
  let page = ""
  for (let at = 0; at < text.length; at += size) {
    const { settled, env } = growing.push(text.slice(at, at + size))
    page += parser.renderer.render(settled, parser.options, env)
  }
  return page + render(growing.end())
}

function render({ tail, env }) {
  return parser.renderer.render(tail, parser.options, env)
}
