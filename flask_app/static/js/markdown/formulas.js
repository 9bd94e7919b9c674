// @ts-check
/**
 * Formulas: $…$ and \(…\) in a line, $$…$$ and \[…\] standing alone. They become empty-handed placeholders
 * (class "formula", the TeX in data-tex) that app/markdown/enrich fills after sanitising.
 */

/** @typedef {import("markdown-it").MarkdownIt} MarkdownIt */

const LONGEST = 10_000
/** @type {[string, string, boolean][]} opening, closing, displayed */
const INLINE = [["$$", "$$", true], ["\\[", "\\]", true], ["\\(", "\\)", false], ["$", "$", false]]
/** @type {[string, string][]} */
const BLOCK = [["$$", "$$"], ["\\[", "\\]"]]
/** @typedef {{from: number, to: number}} Span */
/** @type {WeakMap<object, Map<string, Span>>} */
const SEARCHED = new WeakMap()
const NOWHERE = { from: 0, to: 0 }

/** @param {MarkdownIt} md */
export function formulas(md) {
  md.inline.ruler.before("escape", "formula", inlineFormula)
  md.block.ruler.before("fence", "formula", blockFormula, { alt: ["paragraph", "reference", "blockquote", "list"] })
  md.renderer.rules.formula = (tokens, index) => placeholder(md, tokens[index])
  md.renderer.rules.formula_block = (tokens, index) => `<p>${placeholder(md, tokens[index])}</p>\n`
}

/** @param {MarkdownIt} md @param {import("markdown-it").Token | undefined} token */
function placeholder(md, token) {
  const tex = md.utils.escapeHtml(token?.content ?? "")
  return `<span class="formula" data-tex="${tex}"${token?.meta?.display ? ' data-display="true"' : ""}>${tex}</span>`
}

/** @param {import("markdown-it").StateInline} state @param {boolean} silent */
function inlineFormula(state, silent) {
  const form = INLINE.find(([open]) => state.src.startsWith(open, state.pos))
  if (!form) return false
  const [open, close, display] = form
  const start = state.pos + open.length
  const end = closingAt(state, start, close)
  if (end < 0) return false
  if (!silent) {
    const token = state.push("formula", "", 0)
    token.content = state.src.slice(start, end).trim()
    token.meta = { display }
  }
  state.pos = end + close.length
  return true
}

/**
 * Where a formula ends, or -1. A single $ is money unless it hugs its formula: no space inside, no digit after.
 * @param {import("markdown-it").StateInline} state @param {number} start @param {string} close
 */
function closingAt(state, start, close) {
  const { src: text, posMax: limit } = state
  const single = close === "$"
  if (single && (/\s/.test(text[start] ?? " ") || text[start] === "$")) return -1
  const searched = vainly(state)
  const { from, to } = searched.get(close) ?? NOWHERE
  let at = from <= start && start < to ? to : start
  for (; at + close.length <= limit && at - start < LONGEST; at++) {
    if (text.startsWith(close, at)) {
      const hugs = at > start && (!single || (!/\s/.test(text[at - 1] ?? " ") && !/[0-9]/.test(text[at + 1] ?? "")))
      if (hugs) return at
      if (single) return -1
    }
    if (text[at] === "\\") at++
  }
  searched.set(close, { from: start, to: at })
  return -1
}

/**
 * Where an end was looked for in vain, by what it is: a text full of beginnings is not read anew from each of them.
 * @param {object} state @returns {Map<string, Span>}
 */
function vainly(state) {
  let found = SEARCHED.get(state)
  if (!found) SEARCHED.set(state, (found = new Map()))
  return found
}

/** @param {import("markdown-it").StateBlock} state @param {number} startLine @param {number} endLine @param {boolean} silent */
function blockFormula(state, startLine, endLine, silent) {
  if ((state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false
  const first = lineOf(state, startLine)
  const form = BLOCK.find(([open]) => first.startsWith(open))
  if (!form) return false
  const [open, close] = form
  const searched = vainly(state)
  const place = `${close} ${endLine} ${state.blkIndent}`
  const { from, to } = searched.get(place) ?? NOWHERE
  if (from <= startLine && startLine < to) return false
  /** @type {string[]} */
  const lines = []
  let line = startLine
  let rest = first.slice(open.length)
  while (!rest.trimEnd().endsWith(close)) {
    if (rest.includes(close)) return false
    lines.push(rest)
    if (++line >= endLine || (line > startLine && (state.sCount[line] ?? 0) < state.blkIndent)) {
      if (state.env.arriving && isAtEnd(state, line)) return emit(state, startLine, line, lines, silent) // it waits for its end
      searched.set(place, { from: startLine, to: line })
      return false
    }
    rest = lineOf(state, line)
  }
  lines.push(rest.trimEnd().slice(0, -close.length))
  return close === "$$" && lines.join("").includes("$$") ? false : emit(state, startLine, line + 1, lines, silent)
}

/** Is nothing more there? @param {import("markdown-it").StateBlock} state @param {number} line */
function isAtEnd(state, line) {
  return !state.src.slice(state.eMarks[line - 1]).trim()
}

/** @param {import("markdown-it").StateBlock} state @param {number} start @param {number} end @param {string[]} lines @param {boolean} silent */
function emit(state, start, end, lines, silent) {
  if (silent) return true
  const token = state.push("formula_block", "", 0)
  token.block = true
  token.content = lines.join("\n").trim().slice(0, LONGEST)
  token.map = [start, end]
  token.meta = { display: true }
  state.line = end
  return true
}

/** @param {import("markdown-it").StateBlock} state @param {number} line */
function lineOf(state, line) {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line])
}
