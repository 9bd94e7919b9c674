// @ts-check
/** Long code in pieces of whole lines: what comes later changes the last of them, as a rule. */

/**
 * Behind each full piece of `html`, which a highlighter made: where a line ends and no element is open.
 * @param {string} html @param {number} size characters that a piece has at least, but for the last
 */
export function piecesOf(html, size) {
  const pieces = []
  let begin = 0
  let depth = 0
  for (const { 0: sign, index } of html.matchAll(/<\/?|\n/g)) {
    if (sign === "<") depth++
    else if (sign === "</") depth--
    else if (depth === 0 && index + 1 - begin >= size) {
      pieces.push(html.slice(begin, index + 1))
      begin = index + 1
    }
  }
  return begin < html.length ? [...pieces, html.slice(begin)] : pieces
}
