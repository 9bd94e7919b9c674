// @ts-check
/** An answer as it is read aloud, from what app/markdown has drawn: pieces of a breath or two, each with its language. */
import { linesOf, sentencesOf } from "app/chat/speakable.js"

/** @typedef {{text: string, language: string}} Piece language as a browser's voices name it, such as "zh-CN" */

const LONGEST = 200 // characters: some voices fall silent in the middle of much longer ones
const SIMPLE = /^[\p{L}\p{N}\s+=.,()%-]{1,20}$/u // a formula that is read as it is written
const HAN = /\p{Script=Han}/gu
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu
/** @type {[string, RegExp][]} */
const LETTERS = [
  ["en-US", /\p{Script=Latin}/gu],
  ["ko-KR", /\p{Script=Hangul}/gu],
  ["ru-RU", /\p{Script=Cyrillic}/gu],
  ["ar-SA", /\p{Script=Arabic}/gu],
  ["he-IL", /\p{Script=Hebrew}/gu],
  ["th-TH", /\p{Script=Thai}/gu],
  ["hi-IN", /\p{Script=Devanagari}/gu],
  ["el-GR", /\p{Script=Greek}/gu],
]
const LETTERS_OF_A_WORD = 4 // about as much as one Han character says

/**
 * Without Markdown's signs; in the place of code and of formulas that no voice can read stand the words for them.
 * @param {Node} node @param {{code: string, formula: string, page: string}} words `page` is the page's own language
 * @returns {Piece[]}
 */
export function spokenPieces(node, { code, formula, page }) {
  const blocks = blocksOf(node, code, formula)
  const whole = languageOf(blocks.filter((block) => block !== code).join("\n"), page)
  return blocks.flatMap((block) => {
    const language = block === code ? page : languageOf(block, page)
    const isJapanese = whole === "ja-JP" && language.startsWith("zh") && block !== code // a line without kana
    return inPieces(block).map((text) => ({ text, language: isJapanese ? whole : language }))
  })
}

/**
 * The language of a text by its letters; that of the page where it has none that tell. A page in Chinese says which Chinese.
 * @param {string} text @param {string} page
 */
export function languageOf(text, page) {
  const count = (/** @type {RegExp} */ letters) => text.match(letters)?.length ?? 0
  const [han, kana] = [count(HAN), count(KANA)]
  const chinese = page.startsWith("zh") ? page : "zh-CN"
  /** @type {[string, number][]} */
  const found = [[kana * 4 > han ? "ja-JP" : chinese, han + kana]]
  for (const [language, letters] of LETTERS) found.push([language, count(letters) / LETTERS_OF_A_WORD])
  const [language, most] = found.reduce((best, each) => (each[1] > best[1] ? each : best))
  return most ? language : page
}

/** As voices are named: Traditional Chinese is that of Taiwan. @param {string} tag */
export function withRegion(tag) {
  const { language, region } = new Intl.Locale(tag).maximize()
  return `${language}-${region}`
}

/** Code that follows code is left out with one word. @param {Node} node @param {string} code @param {string} formula @returns {string[]} */
function blocksOf(node, code, formula) {
  const words = { code: () => code, formula: (/** @type {string} */ tex) => (SIMPLE.test(tex) ? tex : ` ${formula} `) }
  return linesOf(node.childNodes, words).filter((line, index, lines) => line !== code || lines[index - 1] !== code)
}

/** Whole sentences as far as they fit, a longer one at its commas or blanks. @param {string} text */
function inPieces(text) {
  return gathered(sentencesOf(text).flatMap((sentence) => (sentence.length > LONGEST ? sentence.split(/(?<=[,;:，；：、])|(?<=\s)/u).flatMap(cut) : [sentence])))
}

/** @param {string} text */
function cut(text) {
  return text.match(new RegExp(`[^]{1,${LONGEST}}`, "gu")) ?? []
}

/** @param {string[]} parts */
function gathered(parts) {
  /** @type {string[]} */
  const pieces = []
  for (const part of parts) {
    const last = pieces.at(-1)
    if (last !== undefined && last.length + part.length <= LONGEST) pieces[pieces.length - 1] = last + part
    else pieces.push(part)
  }
  return pieces.map((piece) => piece.trim()).filter(Boolean)
}
