// @ts-check
/** Amounts as people type them: tokens, or money in a currency's own form, as the integers that the server keeps. */

const MICROS = 6 // decimals
const TOKENS = "tokens"
// "100000", "100,000"; for money "12.5" and "1,000.50" too. "1,5" is neither.
const WHOLE = /^(?:\d+|\d{1,3}(?:[,，]\d{3})+)$/
const DECIMAL = /^(\d+|\d{1,3}(?:[,，]\d{3})+)(?:\.(\d{1,6}))?$/

/** Tokens, or millionths of the currency; null for what is no amount. @param {string} text @param {string} unit */
export function amountOf(text, unit) {
  const typed = text.normalize("NFKC").replace(/\s/g, "")
  if (unit === TOKENS) return WHOLE.test(typed) ? Number(digitsOf(typed)) : null
  const [, whole, fraction = ""] = DECIMAL.exec(typed) ?? []
  return whole === undefined ? null : Number(digitsOf(whole) + fraction.padEnd(MICROS, "0"))
}

/** The same back, to be changed: 12500000 is "12.5". @param {number} amount @param {string} unit */
export function typedAmount(amount, unit) {
  if (unit === TOKENS) return String(amount)
  const digits = String(amount).padStart(MICROS + 1, "0")
  return `${digits.slice(0, -MICROS)}.${digits.slice(-MICROS)}`.replace(/\.?0+$/, "")
}

/** @param {string} text */
const digitsOf = (text) => text.replace(/[,，]/g, "")
