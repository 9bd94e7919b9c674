// @ts-check
/** Which of the palette's choices fit what is typed, the best first. */

const NAMES_IT = 0
const BEGINS = 1
const BEGINS_A_WORD = 2
const WITHIN = 3

/** @typedef {{id: string, label: string, english?: string}} Choice `english`: the same in English, for who thinks in that */

/** @template {Choice} T */
export class Choices {
  #all

  /** @param {T[]} all in the order in which they are offered where they fit alike */
  constructor(all) {
    this.#all = all
  }

  /** Those that have every word; all where nothing is typed. @param {string} words @returns {T[]} */
  fitting(words) {
    const sought = plain(words)
    if (!sought) return this.#all
    const ranked = this.#all.map((choice) => ({ choice, rank: Math.min(...textsOf(choice).map((text) => rankOf(text, sought))) }))
    return ranked.filter(({ rank }) => rank < Infinity).toSorted((a, b) => a.rank - b.rank).map(({ choice }) => choice)
  }
}

/** @param {Choice} choice */
const textsOf = ({ label, english = "" }) => [plain(label), plain(english)]

/** How well they fit, Infinity where not at all: a whole name before its beginning, that before words, and those before what is within them. @param {string} text @param {string} sought */
function rankOf(text, sought) {
  if (text === sought) return NAMES_IT
  if (text.startsWith(sought)) return BEGINS
  if (initialsOf(text) === sought) return BEGINS_A_WORD
  return Math.max(...sought.split(" ").map((word) => rankOfWord(text, word)))
}

/** @param {string} text @param {string} word */
function rankOfWord(text, word) {
  if (` ${text}`.includes(` ${word}`)) return BEGINS_A_WORD
  return text.includes(word) ? WITHIN : Infinity
}

/** Of two words and more. @param {string} text */
function initialsOf(text) {
  const words = text.split(" ")
  return words.length > 1 ? words.map((word) => [...word][0]).join("") : ""
}

/** Without accents and signs, as people type in a hurry: é is e, ＡＢ is ab. @param {string} text */
function plain(text) {
  const bare = text.normalize("NFKD").replace(/(?<=\p{Script=Latin})\p{M}+/gu, "").normalize("NFKC")
  return bare.toLowerCase().replace(/[^\p{L}\p{N}\p{M}]+/gu, " ").trim()
}
