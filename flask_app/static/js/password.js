// @ts-check
/** A hint, not a judgement: the server decides what it takes. */

export const MIN_LENGTH = 15

/**
 * 0 too short · 1 repetitive · 2 fair · 3 good · 4 strong. Length weighs most, sameness takes away.
 * @param {string} password
 */
export function strengthOf(password) {
  const characters = [...password]
  if (characters.length < MIN_LENGTH) return 0
  const different = new Set(characters.map((character) => character.toLowerCase())).size
  if (different < 6 || isRun(characters)) return 1
  if (characters.length >= 24 && different >= 10) return 4
  return characters.length >= 19 || different >= 12 ? 3 : 2
}

/** "abcdefghijklmno", "111111111111111", "qqqqwwww…" hardly change from one character to the next. @param {string[]} characters */
function isRun(characters) {
  let steps = 0
  for (let i = 1; i < characters.length; i++) {
    const gap = (characters[i]?.codePointAt(0) ?? 0) - (characters[i - 1]?.codePointAt(0) ?? 0)
    if (Math.abs(gap) <= 1) steps++
  }
  return steps > characters.length * 0.6
}
