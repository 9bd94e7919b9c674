// @ts-check
/** A budget's limit as it is typed: as the server takes it, and in words while somebody types. */
import { amountOf } from "app/amounts.js"
import { FieldMistake } from "app/field-errors.js"
import { formatAmount, t } from "app/i18n.js"

const MOST = 10 ** 15
export const TOKENS = "tokens"

/**
 * Tokens, or millionths of a currency: a limit of nothing would let nobody ask, a balance may begin with it.
 * @param {string} text @param {string} unit @param {{least?: number}} [bounds] @returns {number} throws FieldMistake
 */
export function limitOf(text, unit, { least = 1 } = {}) {
  const amount = amountOf(text, unit)
  if (amount === null) throw new FieldMistake("limit", t(`js.budget.bad_${unit === TOKENS ? "tokens" : "money"}`, { text }))
  if (amount < least) throw new FieldMistake("limit", t("js.budget.zero"))
  if (amount > MOST) throw new FieldMistake("limit", t("js.budget.too_large", { most: formatAmount(MOST, unit) }))
  return amount
}

/** How the server will understand it; an example while it does not. @param {string} text @param {string} unit */
export function limitWords(text, unit) {
  const amount = /^[A-Z]{3}$|^tokens$/.test(unit) ? amountOf(text, unit) : null
  return amount === null ? t(`js.budget.hint_${unit === TOKENS ? "tokens" : "money"}`) : `= ${formatAmount(amount, unit)}`
}
