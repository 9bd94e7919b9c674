// @ts-check
/**
 * What of an answer that is being written a screen reader has heard, and what it hears next: sentences that have come to their end.
 * Of what app/markdown has drawn only the last block can still change, and of that only its last line.
 */
import { isSayable, linesOf, sentencesOf } from "app/chat/speakable.js"
import { blocksIn } from "app/markdown/blocks.js"

/** @typedef {{block: number, line: number, sentence: number}} Place how many of each lie behind */

const MARK = "\uE000" // stands before a sign while lines are put together
/** Signs of Markdown that may yet be taken for such; those that have been are not drawn any more. */
const OPEN = /\*(?=\S)|(?<![\p{L}\p{N}])_|[`[|]|[$<](?=\S)|~~/gu
const LONGEST_FORMULA = 60 // characters of TeX that are said

export class Heard {
  #words
  #at
  /** Was said before its sentence had come to its end. */
  #part = ""

  /** @param {{code: (lines: number) => string, formula: string}} words @param {Place} [at] */
  constructor({ code, formula }, at = { block: 0, line: 0, sentence: 0 }) {
    this.#at = at
    this.#words = {
      code: (/** @type {Element} */ { textContent }) => code((textContent ?? "").replace(/\n$/, "").split("\n").length),
      formula: (/** @type {string} */ tex) => ` ${tex.length > LONGEST_FORMULA ? formula : tex} `,
      literal: (/** @type {string} */ text) => text.replaceAll(MARK, "").replace(OPEN, `${MARK}$&`),
    }
  }

  /** Up to where it was heard. */
  get at() {
    return this.#at
  }

  /** What is new, each line apart; with `whole` also what has not come to its end. @param {Node} answer as drawn @returns {string[]} */
  next(answer, { whole = false } = {}) {
    const blocks = blocksIn(answer)
    const linesAt = (/** @type {number} */ block) => linesOf(blocks.slice(block, block + 1), this.#words)
    let last = blocks.length - 1 // with words: what has none may yet become a part of what stands above
    while (last > this.#at.block && !linesAt(last).length) last--
    /** @type {string[]} */
    const said = []
    for (let block = this.#at.block; block < blocks.length; block++) {
      const lines = linesAt(block)
      for (let line = block === this.#at.block ? this.#at.line : 0; line < lines.length; line++) {
        const isSettled = block < last || line < lines.length - 1
        said.push(this.#hear({ block, line }, lines[line] ?? "", { isSettled, whole }))
      }
    }
    return said.filter(isSayable)
  }

  /** @param {Omit<Place, "sentence">} place @param {string} marked @param {{isSettled: boolean, whole: boolean}} how */
  #hear({ block, line }, marked, { isSettled, whole }) {
    const isHere = block === this.#at.block && line === this.#at.line
    const sentences = sentencesOf(marked.replaceAll(MARK, ""))
    const count = isSettled || whole ? sentences.length : countEnded(sentences, marked.indexOf(MARK))
    const from = isHere ? this.#at.sentence : 0
    const text = sentences.slice(from, count).join("")
    const known = isHere && text.startsWith(this.#part) ? this.#part.length : 0
    const goesOn = whole && !isSettled && count > from
    if (count > from) {
      this.#at = { block, line, sentence: goesOn ? count - 1 : count }
      this.#part = goesOn ? (sentences[count - 1] ?? "") : ""
    }
    return text.slice(known).trim()
  }
}

/** How many have come to their end: another has begun, and no sign stands before that. @param {string[]} sentences @param {number} open where the first sign stands, or -1 */
function countEnded(sentences, open) {
  let end = 0
  const rest = (/** @type {number} */ from) => isSayable(sentences.slice(from).join(""))
  const next = sentences.findIndex((sentence, index) => {
    end += sentence.length
    return !rest(index + 1) || (open >= 0 && end > open)
  })
  return Math.max(0, next)
}
