// @ts-check
/**
 * Lists in lists in lists: the parser stops at `maxNesting` and drops all that follows. Just before, the rest of the
 * innermost block is set as it was written, so that nothing is lost.
 */

const DEEPEST = 98 // a list and its item are two levels: from 97 a block goes to 99, within the parser's 100

/** @param {import("markdown-it").MarkdownIt} md */
export function keepDeepText(md) {
  md.block.ruler.before("table", "deep_text", deepText)
}

/** @param {import("markdown-it").StateBlock} state @param {number} start @param {number} end */
function deepText(state, start, end) {
  if (state.level < DEEPEST) return false
  let next = start + 1
  while (next < end && (state.isEmpty(next) || (state.sCount[next] ?? 0) >= state.blkIndent)) next++
  state.line = next
  const token = state.push("code_block", "code", 0)
  token.content = state.getLines(start, next, state.blkIndent, false).trimEnd() + "\n"
  token.map = [start, next]
  return true
}
