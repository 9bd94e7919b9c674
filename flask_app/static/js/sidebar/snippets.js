// @ts-check
/** A piece of text around what was searched for, as it reads. */

/** @typedef {import("app/sidebar/search.js").Hit} Hit */

/** Signs of Markdown in a piece of text. */
const SIGNS = /(?<=^|\s)(?:#{1,6} |\|(?=\s|$))|```[\w+-]*|`|\*\*|~~|\|?(?: ?:?-{2,}:? ?\|)+|!?\[(?=[^\]]*\]\()|\]\([^)\s]*\)?|(?<![\w*])\*(?=[^\s*][^*]*\*)|(?<=[^\s*])\*(?![\w*])/gu

/** As it reads, without Markdown's signs; what is marked stays as it is. @template {Hit} T @param {T} hit @returns {T} */
export function withoutSigns(hit) {
  if (!hit.message_id) return hit
  const marked = new Set(hit.marks.flatMap(([from, to]) => Array.from({ length: to - from }, (_, at) => from + at)))
  const signs = new Set()
  for (const { 0: sign, index } of hit.snippet.matchAll(SIGNS)) {
    const from = [...hit.snippet.slice(0, index)].length
    for (let at = from; at < from + [...sign].length; at++) if (!marked.has(at)) signs.add(at)
  }
  const before = (/** @type {number} */ place) => [...signs].filter((at) => at < place).length
  const snippet = [...hit.snippet].filter((_, at) => !signs.has(at)).join("")
  return { ...hit, snippet, marks: hit.marks.map(([from, to]) => [from - before(from), to - before(to)]) }
}
