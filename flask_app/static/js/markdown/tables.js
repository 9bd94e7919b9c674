// @ts-check
/**
 * The parser fills each row of a table up to its head: some kilobytes of short rows below a wide head become 65,536 cells, which take
 * a browser seconds. Where so many are empty, a row ends with its last word.
 */

const MOST_EMPTY = 2_000 // cells at the ends of rows, of all tables that are parsed at once
const CELL = 3 // tokens: its beginning, what is in it, its end

/** @param {import("markdown-it").MarkdownIt} md */
export function fewEmptyCells(md) {
  md.core.ruler.after("block", "few_empty_cells", (state) => {
    const spared = emptyEnds(state.tokens)
    if (spared.size > MOST_EMPTY * CELL) state.tokens = state.tokens.filter((token) => !spared.has(token))
  })
}

/** The tokens of cells at the ends of rows that hold nothing. @param {import("markdown-it").Token[]} tokens */
export function emptyEnds(tokens) {
  /** @type {Set<import("markdown-it").Token>} */
  const ends = new Set()
  /** @type {import("markdown-it").Token[]} */
  let end = []
  tokens.forEach(({ type, content }, index) => {
    if (type === "tr_open") end = []
    else if (type === "tr_close") end.forEach((token) => ends.add(token))
    else if (type === "inline" && tokens[index - 1]?.type === "td_open") {
      if (content) end = []
      else end.push(...tokens.slice(index - 1, index - 1 + CELL))
    }
  })
  return ends
}
