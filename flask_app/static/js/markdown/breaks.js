// @ts-check
/**
 * A line break as models write it where Markdown has no sign for one, in a table's cell above all: `<br>`. It is the only tag that is
 * more than letters; the parser makes a break of its own of it, and no HTML.
 */

const BREAK = /<br[ \t]*\/?>(?:[ \t]*\n)?/iy // with the end of its line, which would be a second break
const UNFINISHED = /<(?:b(?:r[ \t]*\/?)?)?$/i

/** @param {import("markdown-it").MarkdownIt} md */
export function lineBreaks(md) {
  md.inline.ruler.before("autolink", "line_break", (state, silent) => {
    BREAK.lastIndex = state.pos
    const found = state.src[state.pos] === "<" ? BREAK.exec(state.src)?.[0] : undefined
    if (!found) return false
    if (!silent) state.push("hardbreak", "br", 0)
    state.pos += found.length
    return true
  })
}

/** Without one at its end that has only begun. @param {string} text */
export function withoutUnfinishedBreak(text) {
  return text.replace(UNFINISHED, "")
}
