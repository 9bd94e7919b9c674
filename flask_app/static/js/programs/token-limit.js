// @ts-check
/** What a token may use: the fields of `partials/token_limit.html`, and a budget in words. */
import { typedAmount } from "app/amounts.js"
import { clearFieldErrors } from "app/field-errors.js"
import { formatAmount, t } from "app/i18n.js"
import { limitOf, limitWords } from "app/programs/limits.js"
import { must, slot } from "app/ui.js"

/** @typedef {import("app/i18n.js").Budget} Budget */
/** @typedef {{unit: string, period: string, limit: number, hard: boolean}} Cap */

export class TokenLimit {
  #form

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form
    form.addEventListener("input", () => this.#showAmount())
  }

  /** Begin anew, with what is there. @param {Budget | null} budget */
  fill(budget) {
    this.#form.reset()
    clearFieldErrors(this.#form)
    if (budget) {
      this.#offer(budget.unit)
      this.#select("unit").value = budget.unit
      this.#select("period").value = budget.period
      this.#select("kind").value = budget.hard ? "hard" : "soft"
      this.#limit.value = typedAmount(budget.limit, budget.unit)
    }
    this.#showAmount()
  }

  /** What is wanted; null for no limit. @returns {Cap | null} throws FieldMistake */
  cap() {
    clearFieldErrors(this.#form)
    const text = this.#limit.value.trim()
    const [unit, period, kind] = [this.#select("unit").value, this.#select("period").value, this.#select("kind").value]
    return text ? { unit, period, limit: limitOf(text, unit), hard: kind === "hard" } : null
  }

  /** A currency that no model is billed in any more can stay. @param {string} unit */
  #offer(unit) {
    const units = this.#select("unit")
    if (![...units.options].some(({ value }) => value === unit)) units.add(new Option(unit, unit))
  }

  #showAmount() {
    const text = this.#limit.value.trim()
    slot(this.#form, "amount").textContent = text ? limitWords(text, this.#select("unit").value) : t("js.tokens.no_limit")
  }

  get #limit() {
    return /** @type {HTMLInputElement} */ (must(this.#form, '[name="limit"]'))
  }

  /** @param {"unit" | "period" | "kind"} name */
  #select(name) {
    return /** @type {HTMLSelectElement} */ (must(this.#form, `[name="${name}"]`))
  }
}

/** "100,000 tokens a day" @param {Pick<Cap, "limit" | "unit" | "period">} cap */
export const termsOf = ({ limit, unit, period }) => t(`js.budget.per_${period}`, { limit: formatAmount(limit, unit) })
