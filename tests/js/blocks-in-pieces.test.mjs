import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { GrowingMarkdown } from "app/markdown/blocks.js"
import { lineBreaks } from "app/markdown/breaks.js"
import { breakCjkEmphasis } from "app/markdown/emphasis.js"
import { formulas } from "app/markdown/formulas.js"
import { bareLinks } from "app/markdown/links.js"
import { keepDeepText } from "app/markdown/nesting.js"
import { plainRenderers } from "app/markdown/renderers.js"
import { fewEmptyCells } from "app/markdown/tables.js"
import { unfinished } from "app/markdown/unfinished.js"

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(bareLinks).use(lineBreaks).use(breakCjkEmphasis).use(formulas).use(keepDeepText).use(plainRenderers)
parser.use(fewEmptyCells).use(unfinished)

/** What stands above a line that is not what its beginning looks like. */
const ABOVE = ["words\nmore", "- a\n- b", "- a\n\n  b", "1. a\n2. b", "1) a", "> quoted", "| a | b |\n|---|---|\n| 1 | 2 |", "# head", "head\n===",
  "    code", "```\ncode\n```", "$$\nx\n$$", "***", "- - a\n  - b", "> - a\n> - b", "- $$\n  x", "> $$\n> x", "- ```\n  x", "x | y"]
const LINES = ["```x``` code", "```x", "~~~x", "~~~ `a` ~~~", "#hashtag", "# head", "####### seven", "***bold*** words", "***", "* * * a", "* * *",
  "_ _ _", "___under___", "- item", "-no", "---", "--- no", "- - -", "-", "+", "+1", "* ", "*emphasis*", "1. one", "2. two", "1.5 kg", "1", "12",
  "1234567890. x", "2) two", "===", "=== no", "=", "> quote", ">no space", "|", "| a | b |", "|-|", "-|-", ":-: | -:", "- | -", "--|-- no",
  "$$x$$ no", "$$", "$$\nx\n$$", "$$ x\ny $$ no", "$$\nx\n\ny", "\\[ x", "\\[ x \\] no", "<b>no</b>", "    indented", "  two", "\ttab", "`", "[a]: https://x.y",
  "[a]: <https://x.y> \"t\"", "[a]: https://x.y\n\"title\"", "[a]: https://x.y\n\"title\" no", "[a]:\nhttps://x.y\n'ti\ntle'", "[a]: no", "[a]", "words"]
const BELOW = ["", "\n", "\nwords", "\n\nwords", "\n- c", "\n\n2. c", "\n-|-\n1|2", "\n$$", "\n===", "\n\n  [a] inside"]

/** @type {string[]} */
const TEXTS = []
for (const above of ABOVE) for (const line of LINES) for (const gap of ["\n", "\n\n"]) TEXTS.push(above + gap + line)
const random = randomly(20_261_201)
const one = (/** @type {string[]} */ among) => among[Math.floor(random() * among.length)] ?? ""
for (let n = 0; n < 300; n++) {
  const parts = Array.from({ length: 2 + Math.floor(random() * 4) }, () => one(random() < 0.3 ? ABOVE : LINES) + one(["\n", "\n", "\n\n", "\r\n"]))
  TEXTS.push(parts.join("") + one(BELOW))
}

test("however a text is cut, what is settled and its end are the text at once", () => {
  const wrong = new Set()
  for (const text of TEXTS.flatMap((text) => [text, ...(random() < 0.3 ? [text + one(BELOW)] : [])])) {
    const whole = withoutLinks(parser.render(text, {}))
    if (withoutLinks(grown(text, () => 1)) !== whole || withoutLinks(grown(text, () => 1 + Math.floor(random() * 9))) !== whole) wrong.add(text)
  }
  assert.deepEqual([...wrong].slice(0, 20), [], `${wrong.size} texts`)
})

/** @param {string} text @param {() => number} size of the next piece */
function grown(text, size) {
  const growing = new GrowingMarkdown(parser)
  let page = ""
  for (let at = 0; at < text.length; ) {
    const end = at + size()
    const { settled, env } = growing.push(text.slice(at, end))
    page += parser.renderer.render(settled, parser.options, env)
    at = end
  }
  const { tail, env } = growing.end()
  return page + parser.renderer.render(tail, parser.options, env)
}

/** Links that are defined further down are drawn at the end. @param {string} page */
function withoutLinks(page) {
  return page.replace(/<a href="https:\/\/x\.y"[^>]*>a<\/a>/g, "[a]")
}

/** The same at each run. @param {number} seed @returns {() => number} */
function randomly(seed) {
  return () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return seed / 4_294_967_296
  }
}
