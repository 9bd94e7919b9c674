// @ts-check
/** The prepaid balance that each person of a group begins with: the dialog, and what setting it does to who is there. */
import { amountOf, typedAmount } from "app/amounts.js"
import { ApiError, api } from "app/api.js"
import { FieldMistake, clearFieldErrors, showFieldError } from "app/field-errors.js"
import { formatAmount, formatNumber, sentence, t } from "app/i18n.js"
import { TOKENS, limitWords } from "app/programs/limits.js"
import { confirmDialog, fill, must, onSubmit, openDialog, slot, toast } from "app/ui.js"

/** @typedef {{unit: string, amount: number}} Opening tokens, or millionths of a currency */
/** @typedef {{id: string, name: string, members: number, opening: Opening | null}} Group */

/** Beside which field a refusal is said. @type {Record<string, string>} */
const FIELDS = { bad_currency: "currency", currency_is_called: "currency", currency_not_billed: "currency", bad_budget_limit: "amount", invalid_field: "amount" }

export class OpeningBalance {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-opening-form]"))
  /** @type {Group} */
  #group = { id: "", name: "", members: 0, opening: null }

  /** @param {(id: string) => Promise<void>} saved */
  constructor(saved) {
    this.#form.addEventListener("change", () => this.#showParts())
    this.#form.addEventListener("input", () => this.#showAmount())
    onSubmit(this.#form, async (values) => {
      clearFieldErrors(this.#form)
      try {
        await this.#save("begins" in values ? openingOf(values) : null, saved)
      } catch (error) {
        const field = error instanceof FieldMistake ? error.field : error instanceof ApiError && FIELDS[error.code]
        if (!field) throw error
        showFieldError(this.#form, field, sentence(error))
      }
    })
  }

  /** @param {Group} group */
  ask(group) {
    this.#group = group
    const { name, opening } = group
    this.#form.reset()
    clearFieldErrors(this.#form)
    fill(this.#form, { title: t("js.admin.opening_of", { name }) })
    this.#field("begins").checked = opening !== null
    if (opening) {
      this.#field("amount").value = typedAmount(opening.amount, opening.unit)
      const measure = opening.unit === TOKENS ? "tokens" : "money"
      const choice = /** @type {HTMLInputElement} */ (must(this.#form, `[name="measure"][value="${measure}"]`))
      choice.checked = true
      if (measure === "money") this.#field("currency").value = opening.unit
    }
    this.#showParts()
    openDialog("opening-dialog")
  }

  /** @param {Opening | null} wanted @param {(id: string) => Promise<void>} saved */
  async #save(wanted, saved) {
    const { id, name } = this.#group
    if (!(await this.#sure(wanted))) return
    const { given } = await api.put(`/api/admin/groups/${id}/opening-balance`, wanted ?? { amount: null })
    this.#form.closest("dialog")?.close()
    await saved(id)
    toast(given ? t("js.admin.opening_given", { name, count: formatNumber(given) }) : t("js.admin.group_saved", { name }))
  }

  /** Who is there may be limited by it from now on. @param {Opening | null} wanted */
  async #sure(wanted) {
    const { name, members, opening } = this.#group
    if (!wanted || !members || wanted.unit === opening?.unit) return true
    const amount = formatAmount(wanted.amount, wanted.unit)
    return confirmDialog({
      title: t("js.admin.opening_title", { name }),
      text: t("js.admin.opening_text", { amount, count: formatNumber(members) }),
      action: t("js.admin.opening_action"),
    })
  }

  #showParts() {
    const values = this.#values()
    this.#offer("[data-opening-part]", "begins" in values)
    this.#offer("[data-currency-part]", this.#field("begins").checked && values.measure === "money")
    this.#showAmount()
  }

  /** How the server will understand what is typed. */
  #showAmount() {
    const { amount = "", ...values } = this.#values()
    slot(this.#form, "amount").textContent = limitWords(amount, unitOf(values))
  }

  /** What is not asked for is neither sent nor wanted. @param {string} part @param {boolean} on */
  #offer(part, on) {
    const place = /** @type {HTMLFieldSetElement} */ (must(this.#form, part))
    place.hidden = place.disabled = !on
  }

  /** @returns {Record<string, string>} */
  #values() {
    return Object.fromEntries([...new FormData(this.#form)].map(([name, value]) => [name, String(value)]))
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (must(this.#form, `[name="${name}"]`))
  }
}

/** @param {Record<string, string>} values @returns {Opening} throws FieldMistake */
function openingOf({ amount = "", ...values }) {
  const unit = unitOf(values)
  const read = amountOf(amount, unit)
  if (read === null) throw new FieldMistake("amount", t(`js.budget.bad_${unit === TOKENS ? "tokens" : "money"}`, { text: amount }))
  return { unit, amount: read }
}

/** @param {Record<string, string>} values */
const unitOf = ({ measure, currency = "" }) => (measure === "money" ? currency.trim().toUpperCase() : TOKENS)
