// @ts-check
/**
 * Is a password among the first that somebody would guess? The rules of services/people/guessable.py once more, so that the
 * meter promises nothing that the server refuses; tests/passwords.json holds both to the same answers.
 */

/** @typedef {"password_repetitive" | "password_common" | "password_like_name"} Reason */

const ENOUGH = 6
const MIN_LONGEST_UNIT = 15 // what is repeated must be a password by itself
const MIN_CHARACTERS = 5 // different ones

const WORD = 2
const RUN = 1
const NUMBER = 2
const CHARACTER = 1
const MIN_RUN = 3
const MIN_WORD = 2
const NUMBER_LENGTHS = [4, 5, 6, 7, 8] // years, dates, PINs
const SEPARATORS = /[\s_.,;:!?*+=/|-]+/u
const READINGS = ["i", "l"].map((one) => new Map([..."@430$571"].map((written, at) => [written, `aaeosst${one}`.charAt(at)])))
const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890",
  "1234567890-=",
  "qwertyuiop[]",
  "asdfghjkl;'",
  "zxcvbnm,./",
  "qwertzuiop",
  "azertyuiop",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
  "1qazxsw23edcvfr45tgbnhy67ujm",
  "qazwsxedcrfvtgbyhnujmikolp",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
  "1qa2ws3ed4rf5tg6yh7uj8ik9ol0p",
  "!@#$%^&*()_+",
]
const WAYS = ROWS.flatMap((row) => [row, [...row].reverse().join("")])

/**
 * Why the password is guessable; null when it is not.
 * @param {string} password in NFKC
 * @param {string} username
 * @param {ReadonlySet<string>} common
 * @returns {Reason | null}
 */
export function reasonOf(password, username, common) {
  const folded = fold(password)
  const text = [...folded]
  if (repeats(text) || new Set(text).size < MIN_CHARACTERS || costOf(text, new Set()) < ENOUGH) return "password_repetitive"
  const closedUp = close(folded)
  if (common.has(closedUp) || costOf([...closedUp], common) < ENOUGH) return "password_common"
  const named = new Set([...common, ...piecesOf(username)])
  return costOf([...closedUp], named) < ENOUGH ? "password_like_name" : null
}

/** @param {string} text */
function fold(text) {
  return text.toUpperCase().toLowerCase() // "ß" and "ss" are one
}

/** @param {string} text */
function close(text) {
  return text.split(SEPARATORS).join("")
}

/** One unit again and again, the last time perhaps cut off. @param {string[]} text */
function repeats(text) {
  const longest = Math.min(MIN_LONGEST_UNIT - 1, Math.floor(text.length / 2))
  for (let unit = 1; unit <= longest; unit++) {
    if (text.every((character, at) => at < unit || character === text[at - unit])) return true
  }
  return false
}

/** The name closed up, backwards, and its words. @param {string} username */
function piecesOf(username) {
  const name = fold(username)
  const whole = [...close(name)]
  const pieces = [whole, [...whole].reverse(), ...name.split(SEPARATORS).map((word) => [...word])]
  return pieces.filter((piece) => piece.length >= MIN_WORD).map((piece) => piece.join(""))
}

/** The cheapest way to put the text together from its end to its beginning. @param {string[]} text @param {ReadonlySet<string>} words */
function costOf(text, words) {
  const readings = [text, ...READINGS.map((reading) => text.map((character) => reading.get(character) ?? character))]
  let longest = 0
  for (const word of words) longest = Math.max(longest, word.length)
  const costs = new Array(text.length + 1).fill(0)
  for (let start = text.length - 1; start >= 0; start--) {
    const parts = [
      { price: CHARACTER, lengths: [1] },
      { price: RUN, lengths: upTo(runLength(text, start), MIN_RUN) },
      { price: NUMBER, lengths: NUMBER_LENGTHS.filter((length) => length <= digitsFrom(text, start)) },
      { price: WORD, lengths: wordsFrom(readings, start, longest, words) },
    ]
    costs[start] = Math.min(...parts.flatMap(({ price, lengths }) => lengths.map((length) => price + costs[start + length])))
  }
  return costs[0]
}

/** @param {string[][]} readings @param {number} start @param {number} longest @param {ReadonlySet<string>} words */
function wordsFrom(readings, start, longest, words) {
  const left = (readings[0]?.length ?? 0) - start
  return upTo(Math.min(left, longest), MIN_WORD).filter((length) =>
    readings.some((reading) => words.has(reading.slice(start, start + length).join(""))),
  )
}

/** @param {number} most @param {number} least */
function upTo(most, least) {
  return Array.from({ length: Math.max(0, most - least + 1) }, (_, more) => least + more)
}

/** How far a run goes from here: one character repeated, or a way along a row. @param {string[]} text @param {number} start */
function runLength(text, start) {
  let same = 1
  while (text[start + same] === text[start]) same++
  return Math.max(same, ...WAYS.map((way) => along(way, text, start)))
}

/** @param {string} way @param {string[]} text @param {number} start */
function along(way, text, start) {
  const position = way.indexOf(text[start] ?? "")
  if (position < 0) return 0
  let length = 0
  while (position + length < way.length && way[position + length] === text[start + length]) length++
  return length
}

/** @param {string[]} text @param {number} start */
function digitsFrom(text, start) {
  let end = start
  while (/^[0-9]$/.test(text[end] ?? "")) end++
  return end - start
}
