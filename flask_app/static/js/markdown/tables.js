// @ts-check
/**
 * The parser fills each row of a table up to its head: some kilobytes of short rows below a wide head become 65,536 cells, which take
 * a browser seconds. Where so many are empty, a row ends with its last word.
 */

const MOST_EMPTY = 2_000 // cells of a table

/** @param {import("markdown-it").MarkdownIt} md */
export function fewEmptyCells(md) {
  md.core.ruler.after("block", "few_empty_cells", (state) => {
    const { tokens } = state
    const spared = new Set(tokens.flatMap((token, index) => (token.type === "table_open" ? emptyEnds(tokens, index) : [])))
    if (spared.size) state.tokens = tokens.filter((token) => !spared.has(token))
  })
}

/** The cells at the ends of rows that hold nothing, or none. @param {import("markdown-it").Token[]} tokens @param {number} start of the table */
function emptyEnds(tokens, start) {
  const ends = []
  let empty = 0
  let isEnd = false
  for (let index = tokens.findIndex(({ type }, at) => at > start && type === "table_close"); index > start; index--) {
    const { type, content } = /** @type {import("markdown-it").Token} */ (tokens[index])
    if (type === "tr_close") isEnd = true
    if (type !== "inline") continue
    if (content) isEnd = false
    else empty++
    if (isEnd && tokens[index - 1]?.type === "td_open") ends.push(...tokens.slice(index - 1, index + 2))
  }
  return empty > MOST_EMPTY ? ends : []
}
