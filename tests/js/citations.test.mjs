import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { GrowingMarkdown } from "app/markdown/blocks.js"
import { lineBreaks } from "app/markdown/breaks.js"
import { citations, citedIn, withSourceList } from "app/markdown/citations.js"
import { breakCjkEmphasis } from "app/markdown/emphasis.js"
import { formulas } from "app/markdown/formulas.js"
import { bareLinks } from "app/markdown/links.js"
import { plainRenderers } from "app/markdown/renderers.js"
import { unfinished } from "app/markdown/unfinished.js"
import { spent } from "./spent.mjs"

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(bareLinks).use(lineBreaks).use(breakCjkEmphasis).use(formulas).use(plainRenderers).use(unfinished).use(citations)

const SOURCES = [1, 2, 3].map((number) => ({ number, title: `Page ${number}`, url: `https://site${number}.example/a?b=1&c=2`, site: "", published: null }))
const ANY = /<a href="https:\/\/site(\d)\.example\/a\?b=1&amp;c=2" class="citation" title="Page \1">\[\1\]<\/a>/g
const shown = (text, sources = SOURCES) => parser.render(text, { sources }).replace(ANY, "<$1>").replaceAll("\n", "")

test("a number in brackets leads to its source", () => {
  assert.equal(shown("It rains [1]."), "<p>It rains <1>.</p>")
  assert.equal(shown("下雨了【1】。"), "<p>下雨了<1>。</p>")
  assert.equal(shown("Both [1][2], all [1, 2，3], 都【1、3】"), "<p>Both <1><2>, all <1><2><3>, 都<1><3></p>")
  assert.equal(shown("**Bold [1]** and | *x*[2]"), "<p><strong>Bold <1></strong> and | <em>x</em><2></p>")
  assert.equal(shown("- one [1]\n- two [2]"), "<ul><li>one <1></li><li>two <2></li></ul>")
  assert.match(shown("| a |\n|---|\n| b [3] |"), /<td>b <3><\/td>/)
  assert.equal(shown("[1] says so"), "<p><1> says so</p>")
})

test("without a source of that number it stays as it was written", () => {
  assert.equal(shown("It rains [4] and [0], in [2024], [x], [], 【5】"), "<p>It rains [4] and [0], in [2024], [x], [], 【5】</p>")
  assert.equal(shown("Half [1, 9]"), "<p>Half <1>[9]</p>")
  assert.equal(shown("It rains [1].", []), "<p>It rains [1].</p>")
  assert.equal(parser.render("It rains [1]."), "<p>It rains [1].</p>\n")
})

test("code, formulas, links and escaped brackets have none", () => {
  assert.equal(shown("`a[1]` b"), "<p><code>a[1]</code> b</p>")
  for (const text of ["```\na[1]\n```", "    a[1]"]) assert.doesNotMatch(shown(text), /<\d>/, text)
  assert.doesNotMatch(shown("$x_{[1]}$ and \\[1\\]"), /<\d>/)
  assert.equal(shown("[1](https://other.example) [see [2]](https://other.example)").replaceAll("https://other.example", "@"), '<p><a href="@">1</a> <a href="@">see [2]</a></p>')
  assert.equal(shown("[1](no address) after"), "<p><1>(no address) after</p>")
})


test("the list of them that a model makes itself changes nothing", () => {
  assert.equal(shown("It rains [1].\n\n[1]: https://other.example \"Other\""), "<p>It rains <1>.</p>")
  assert.match(shown("It rains [9].\n\n[9]: https://other.example"), /<a href="https:\/\/other\.example">9<\/a>/)
})

test("what no link may lead to is no link, and words of a page make no markup", () => {
  const source = { number: 1, title: '"><b onclick=x>', url: "javascript:alert(1)", site: "", published: null }
  assert.equal(shown("It rains [1].", [source]), "<p>It rains [1].</p>")
  const drawn = shown("It rains [1].", [{ ...source, url: 'https://a.example/"><b>' }])
  assert.doesNotMatch(drawn, /<b|"><b/)
  assert.match(drawn, /title="&quot;&gt;&lt;b onclick=x&gt;"/)
})

test("while it is written nothing of one is seen before it is whole", () => {
  const growing = new GrowingMarkdown(parser, { sources: SOURCES })
  const seen = [..."增长了[1, 2]。又【1】"].map((sign) => {
    const { tail, env } = growing.push(sign)
    return parser.renderer.render(tail, parser.options, env).replace(ANY, "<$1>").replace(/<\/?p>|\n/g, "")
  })
  assert.deepEqual([...new Set(seen)], ["增", "增长", "增长了", "增长了<1><2>", "增长了<1><2>。", "增长了<1><2>。又", "增长了<1><2>。又<1>"])
  const { tail, env } = growing.end()
  assert.match(parser.renderer.render(tail, parser.options, env), /又<a href/)
})

test("of code that is written nothing is held back", () => {
  const growing = new GrowingMarkdown(parser, { sources: SOURCES })
  const { tail, env } = growing.push("Take `a[1")
  assert.equal(parser.renderer.render(tail, parser.options, env), "<p>Take <code>a[1</code></p>\n")
  const whole = new GrowingMarkdown(parser, { sources: SOURCES }).push("`a[0]` is it [1")
  assert.equal(parser.renderer.render(whole.tail, parser.options, whole.env), "<p><code>a[0]</code> is it </p>\n")
})

test("however a text is cut, what is settled and its end are the text at once", () => {
  const text = "It rains [1].\n\n- one [2][3]\n- two 【1】\n\n| a [1] | b |\n|---|---|\n| [9] | [1, 2] |\n\n## Head [3]\n\n[1]: https://other.example\n\n```\na[1]\n```\nEnd [1"
  for (const size of [1, 2, 3, 5, 11]) {
    const growing = new GrowingMarkdown(parser, { sources: SOURCES })
    let page = ""
    for (let at = 0; at < text.length; at += size) {
      const { settled, env } = growing.push(text.slice(at, at + size))
      page += parser.renderer.render(settled, parser.options, env)
    }
    const { tail, env } = growing.end()
    assert.equal(page + parser.renderer.render(tail, parser.options, env), parser.render(text, { sources: SOURCES }), `pieces of ${size}`)
  }
})

test("the parts of a long list that grows have theirs", () => {
  const growing = new GrowingMarkdown(parser, { sources: SOURCES })
  const out = []
  for (let item = 0; item < 100; item++) {
    const { parts, env } = growing.push(`- ${"words ".repeat(10)}[${1 + (item % 3)}]\n`)
    if (parts) out.push(parser.renderer.render(parts, parser.options, env))
  }
  assert.ok(out.length > 1)
  assert.ok(out.join("").match(ANY).length > 60)
})

test("an answer that breaks off within one shows what was written", () => {
  const growing = new GrowingMarkdown(parser, { sources: SOURCES })
  growing.push("增长了[1")
  const { tail, env } = growing.end()
  assert.equal(parser.renderer.render(tail, parser.options, env), "<p>增长了[1</p>\n")
})

test("many are read in no time", () => {
  for (const text of ["[1]", "[1", "【1", "[1, 2", "[1,1,1", "[ ", "```[", "`[1]", "```` ~~~ "]) {
    const took = spent(() => parser.render(text.repeat(100_000 / text.length), { sources: SOURCES }))
    assert.ok(took < 3000, `${text}: ${took} ms`)
    const listed = spent(() => citedIn(text.repeat(100_000 / text.length), SOURCES))
    assert.ok(listed < 1000, `${text} for the list: ${listed} ms`)
  }
})

test("an answer is copied with those that it names", () => {
  assert.deepEqual(citedIn("One 【3】, two [1, 3].", SOURCES).map(({ number }) => number), [1, 3])
  assert.deepEqual(citedIn("`a[1]` [2]\n\n```js\nb[3]\n```\n", SOURCES).map(({ number }) => number), [2])
  assert.deepEqual(citedIn("It rains [1].\n\n~~~\nb[2]", SOURCES).map(({ number }) => number), [1])
  assert.equal(withSourceList("It rains.\n", SOURCES, "Sources:"), "It rains.\n")
  assert.equal(withSourceList("It rains [1].", SOURCES, "Sources:", { isPlain: true }), "It rains [1].\n\nSources:\n\n[1] Page 1 https://site1.example/a?b=1&c=2\n")
  const odd = { number: 2, title: "A [b]\n*c*", url: "https://a.example/(x) y", site: "", published: null }
  assert.equal(withSourceList("It rains [2].\n", [odd], "Sources:"), "It rains [2].\n\nSources:\n\n- [2] [A \\[b\\] \\*c\\*](https://a.example/%28x%29%20y)\n")
  const named = { ...odd, title: "A &lt; b", url: "https://a.example/?b=1&c=2&copy;=3" }
  const listed = withSourceList("It rains [2].\n", [named], "Sources:")
  assert.match(parser.render(listed, {}), /<a href="https:\/\/a\.example\/\?b=1&amp;c=2&amp;copy;=3">A &amp;lt; b<\/a>/)
})
