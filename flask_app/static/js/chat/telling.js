// @ts-check
/** How much of each attached document a model is told: all of it, some pages, or the passages that fit the question. `domain/telling.py` has the same. */

const MUCH = 0.5 // of the model's context, or of what is left of it: what takes more is searched
const SHORT = 2_000 // tokens: what has no more is told whole all the same
const [SHARE, FEWEST] = [4, 800] // of the context, and tokens of one document's passages
export const MOST_SEARCHED = 8_000

/** @typedef {"whole" | "pages" | "search"} How */
/** @typedef {{how: How, pages: string, tokens: number, isOwn: boolean}} Telling `isOwn`: the person has said so */
/** @typedef {{window: number | null, left: number | null}} Room of the chosen model's context, in tokens */
/** @typedef {import("app/chat/file-upload.js").Facts} Facts */

/** How many tokens the passages of each of so many documents have, at most. @param {number | null} window @param {number} documents */
export function passagesOf(window, documents, most = MOST_SEARCHED) {
  const ofAll = window ? Math.min(most, Math.floor(window / SHARE)) : most
  return Math.max(Math.floor(ofAll / Math.max(documents, 1)), FEWEST)
}

/** As each is told that goes with a message, in their order. @param {Facts[]} files @param {Room} room @param {number} [most] @returns {Telling[]} */
export function tellings(files, { window, left }, most) {
  let rest = left ?? window
  const told = files.map((file) => {
    const how = file.told ?? (isTooLong(file, window, rest) ? "search" : "whole")
    if (rest !== null && how === "whole") rest -= file.tokens
    return { file, how }
  })
  const passages = passagesOf(window, told.filter(({ how }) => how === "search").length, most)
  return told.map(({ file, how }) => ({ how, pages: file.told_pages ?? "", tokens: tokensOf(file, how, passages), isOwn: file.told !== undefined }))
}

/** About how many tokens it is, told so. @param {Facts} file @param {How} how @param {number} passages */
export function tokensOf({ tokens, pages, told_pages: chosen }, how, passages) {
  if (how === "search") return Math.min(tokens, passages)
  if (how === "pages" && pages) return Math.ceil((tokens * (pagesIn(chosen ?? "", pages) ?? pages)) / pages)
  return tokens
}

/** How many pages are meant by "3-7, 12"; null where one is not there. @param {string} words @param {number} count */
export function pagesIn(words, count) {
  const plain = words.normalize("NFKC").replaceAll(/\s*[-–—−~～]\s*/g, "-")
  const meant = new Set()
  for (const part of plain.split(/[,;、\s]+/).filter(Boolean)) {
    const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (!(from >= 1 && from <= to && to <= count)) return null
    for (let page = from; page <= to; page++) meant.add(page)
  }
  return meant.size || null
}

/** @param {Facts} file @param {number | null} window @param {number | null} rest */
function isTooLong({ kind, tokens }, window, rest) {
  return kind !== "picture" && window !== null && tokens > SHORT && tokens > MUCH * Math.max(0, Math.min(window, rest ?? window))
}
