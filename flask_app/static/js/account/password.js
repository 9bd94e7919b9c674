// @ts-check
/** How strong a new password looks; what the server refuses is refused here with the same code. */
import { reasonOf } from "app/account/guessable.js"

export const MIN_LENGTH = 15
export const MAX_LENGTH = 128

/**
 * The code of the server's refusal; null for a password that it takes.
 * @param {string} password
 * @param {string} username
 * @param {ReadonlySet<string>} common
 */
export function refusalOf(password, username, common) {
  const normalised = password.normalize("NFKC")
  const lengths = [[...password].length, [...normalised].length]
  if (Math.min(...lengths) < MIN_LENGTH) return "password_too_short"
  if (Math.max(...lengths) > MAX_LENGTH) return "password_too_long"
  return reasonOf(normalised, username, common)
}

/** 2 fair · 3 good · 4 strong, for a password that is not refused. Length weighs most. @param {string} password */
export function strengthOf(password) {
  const characters = [...password]
  const different = new Set(characters.map((character) => character.toLowerCase())).size
  if (characters.length >= 24 && different >= 10) return 4
  return characters.length >= 19 || different >= 12 ? 3 : 2
}

/** The list of frequent words, one a line; what begins with # explains. @param {string} text */
export function commonOf(text) {
  return new Set(text.split("\n").filter((line) => line && !line.startsWith("#")))
}
