// @ts-check
/**
 * What has begun and has no end yet, shown as what it will be: emphasis, code, a link, `<br>`, a table's head. Only the last block of
 * a text that is still arriving (`env.arriving`) is finished so; once it is whole its own signs count.
 */

import { withoutUnfinishedBreak } from "app/markdown/breaks.js"
import { withoutUnfinishedCitation } from "app/markdown/citations.js"

/** @typedef {import("markdown-it").Token} Token */

const MOST = 8 // openings that are closed, one within another; more is no emphasis
const WORD = /[\p{Script=Latin}\p{N}]$/u
const LINK = /(^|[^\w\])\\$!])\[([^[\]]*)(?:\]\([^()\s]*)?$/
const PICTURE = /!\[[^[\]]*(?:\]\([^()\s]*)?$/
const SIGNS = /(^|\s)[*_~`]{1,3}$/
const RULE = /^[|:\- ]*$/
const EMPTY_LINE = /\n[ \t]*\n/
/** The end of a text that may be the beginning of a link's definition: its address, and a title behind that or on the next line. */
const DEFINITION =
  /^\[(?:\\.|[^[\]\\])+\]:[ \t]{0,9}(?:\n[ \t]{0,9})?(?:<?([^\s<>]*)>?(?:(?:[ \t]{1,9}(?:\n[ \t]{0,9})?|\n[ \t]{0,9})(?:"[^"]*(?:"[ \t]{0,9})?|'[^']*(?:'[ \t]{0,9})?|\([^()]*(?:\)[ \t]{0,9})?)?)?)?$/
const LONGEST_DEFINITION = 400 // what is longer may as well be words, which nobody should wait for
const SCHEMES = ["https://", "http://", "mailto:", "data:image/"]
/** The children of what is being finished. @type {WeakSet<Token[]>} */
const UNFINISHED = new WeakSet()

/** @param {import("markdown-it").MarkdownIt} md */
export function unfinished(md) {
  md.core.ruler.before("block", "unfinished_table", (state) => {
    if (state.env.arriving) state.src = withRule(state.src)
  })
  md.block.ruler.before("reference", "unfinished_definition", unfinishedDefinition)
  md.core.ruler.before("inline", "unfinished_text", ({ env, src, tokens }) => {
    const last = env.arriving && !isOver(src) ? lastText(tokens) : null
    if (!last?.children) return
    last.content = finished(withoutUnfinishedCitation(last.content, env))
    UNFINISHED.add(last.children)
  })
  md.inline.ruler2.after("balance_pairs", "unfinished_emphasis", (state) => {
    if (UNFINISHED.has(state.tokens)) closeEmphasis(state)
    return true
  })
}

/**
 * A definition shows nothing: while it comes it is a block without words, or links would lead to half an address.
 * @param {import("markdown-it").StateBlock} state @param {number} start @param {number} end
 */
function unfinishedDefinition(state, start, end) {
  const at = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0)
  if (!state.env.arriving || state.src[at] !== "[" || state.src.length - at > LONGEST_DEFINITION) return false
  const rest = state.src.slice(at)
  const [found, begun] = DEFINITION.exec(rest) ?? []
  if (found === undefined || EMPTY_LINE.test(rest)) return false
  const address = (begun ?? "").toLowerCase()
  if (!SCHEMES.some((scheme) => scheme.startsWith(address) || address.startsWith(scheme))) return false
  const token = state.push("unfinished_definition", "", 0)
  token.hidden = true
  token.map = [start, end]
  state.line = end
  return true
}

/** Has the last block ended? Searched from its end: an expression would begin anew at each of many empty lines. @param {string} text */
function isOver(text) {
  return EMPTY_LINE.test(text.slice(text.trimEnd().length))
}

/** The text at the very end of the last block, if it ends with text. @param {Token[]} tokens */
function lastText(tokens) {
  const last = tokens.findLast(({ nesting }) => nesting !== -1)
  return last?.type === "inline" ? last : null
}

/** @param {string} text */
function finished(text) {
  const open = openCode(text)
  if (open) {
    const code = withoutTicks(text.slice(open.index + open.length))
    const ticks = "`".repeat(open.length)
    return text.slice(0, open.index) + (code.trim() ? ticks + code + ticks : "")
  }
  return withoutUnfinishedBreak(text).replace(PICTURE, "").replace(LINK, "$1$2").replace(SIGNS, "$1")
}

/** Without those at the end. @param {string} text */
function withoutTicks(text) {
  let end = text.length
  while (text[end - 1] === "`") end--
  return text.slice(0, end)
}

/** The back ticks after which all is code, since no others have ended it. @param {string} text */
function openCode(text) {
  const runs = [...text.matchAll(/\\?`+/g)].map(({ 0: run, index }) => {
    const isEscaped = run.startsWith("\\")
    return { index: index + (isEscaped ? 2 : 0), length: run.length - (isEscaped ? 2 : 0) }
  })
  const last = new Map(runs.map(({ length }, at) => [length, at]))
  for (let at = 0; at < runs.length; at++) {
    const run = runs[at]
    if (!run?.length) continue
    if (last.get(run.length) === at) return run
    do at++
    while (runs[at]?.length !== run.length)
  }
  return null
}

/**
 * Closes what opens emphasis, the innermost first. Within a Latin word or a number a sign is rather a sign.
 * @param {import("markdown-it").StateInline} state
 */
function closeEmphasis(state) {
  const open = state.delimiters.filter(({ end, open }) => end < 0 && open)
  if (open.length > MOST) return
  for (const opening of open.reverse()) {
    const { marker, length, token, close } = opening
    if (close && WORD.test(before(state.tokens, token))) continue
    state.push("text", "", 0).content = state.tokens[token]?.content ?? ""
    opening.end = state.delimiters.length
    state.delimiters.push({ marker, length, token: state.tokens.length - 1, end: -1, open: false, close: true })
  }
}

/** The text before a run of signs. @param {Token[]} tokens @param {number} at one of the run */
function before(tokens, at) {
  const sign = tokens[at]?.content
  while (at > 0 && tokens[at]?.content === sign) at--
  return tokens[at]?.content ?? ""
}

/** A table's head gets the line below it by which it is one. @param {string} text */
function withRule(text) {
  const [head = "", rule = "", ...more] = text.trimStart().split("\n", 3)
  if (more.length || !head.startsWith("|") || !RULE.test(rule)) return text
  const columns = head.trim().replace(/^\||\|$/g, "").split("|").length
  const lead = text.slice(0, text.length - text.trimStart().length)
  return `${lead}${head}\n${"|-".repeat(columns)}|`
}
