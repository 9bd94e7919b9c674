// @ts-check
/** What was added to a balance and taken back, and more of it. */
import { PagedLines } from "app/admin/paged-lines.js"
import { withParameter } from "app/addresses.js"
import { amountOf } from "app/amounts.js"
import { ApiError, api, newIdempotencyKey } from "app/api.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { formatAmount, formatDateTime, sentence, t } from "app/i18n.js"
import { fill, fromTemplate, must, onSubmit, openDialog, slot, toast } from "app/ui.js"

/**
 * @typedef {import("app/admin/budgets.js").AdminBudget} AdminBudget
 * @typedef {{id: string, amount: number, reason: string, by: string | null, created_at: string}} TopUp
 */

const TOKENS = "tokens"
const LESS = /^\s*[-−－]/
const AT_ONCE = "10"
/** Beside which field a refusal is said. @type {Record<string, string>} */
const FIELDS = { bad_top_up: "amount", balance_in_use: "amount", top_up_key_reused: "amount", bad_reason: "reason" }

export class TopUps {
  #form
  #lines
  /** @type {AdminBudget | null} */
  #balance = null
  /** Of what the dialog is open for: a second press, or a reply that was lost, adds nothing twice. */
  #key = ""

  /** @param {HTMLFormElement} form @param {(balance: AdminBudget) => void} keep what the balance has become */
  constructor(form, keep) {
    this.#form = form
    this.#lines = new PagedLines(slot(form, "top-ups"), must(form, "[data-top-ups-more]"))
    onSubmit(form, async (values) => {
      clearFieldErrors(form)
      const saved = await this.#add(values)
      if (!saved) return
      form.closest("dialog")?.close()
      keep(saved)
      toast(t("js.admin.topped_up", { left: formatAmount(saved.left, saved.unit) }))
    })
  }

  /** @param {AdminBudget} balance @param {string} name */
  open(balance, name) {
    this.#balance = balance
    this.#form.reset()
    this.#key = newIdempotencyKey()
    clearFieldErrors(this.#form)
    fill(this.#form, { title: t("js.admin.top_up", { name }), left: t("js.budget.left_prepaid", { whose: "", amount: formatAmount(balance.left, balance.unit) }) })
    this.#lines.show((next) => pageOf(balance, next))
    openDialog("top-up-dialog")
  }

  /** @param {Record<string, string>} values @returns {Promise<AdminBudget | null>} null where something is wrong with a field */
  async #add({ amount: typed = "", reason }) {
    const { id, unit } = /** @type {AdminBudget} */ (this.#balance)
    const size = amountOf(typed.replace(LESS, ""), unit)
    if (size === null || !Number.isSafeInteger(size)) {
      showFieldError(this.#form, "amount", t(`js.budget.bad_${unit === TOKENS ? "tokens" : "money"}`, { text: typed }))
      return null
    }
    try {
      return await api.post(`/api/admin/budgets/${id}/top-ups`, { amount: LESS.test(typed) ? -size : size, reason, idempotency_key: this.#key })
    } catch (error) {
      if (error instanceof ApiError && error.code === "top_up_key_reused") this.#key = newIdempotencyKey()
      const field = error instanceof ApiError ? FIELDS[error.code] : undefined
      if (!field) throw error
      showFieldError(this.#form, field, sentence(error))
      return null
    }
  }
}

/** @param {AdminBudget} balance @param {string | null} next */
async function pageOf({ id, unit }, next) {
  const path = withParameter(`/api/admin/budgets/${id}/top-ups`, "limit", AT_ONCE)
  /** @type {{top_ups: TopUp[], next: string | null}} */
  const page = await api.get(next ? withParameter(path, "before", next) : path)
  return { lines: page.top_ups.map((each) => lineOf(each, unit)), next: page.next }
}

/** @param {TopUp} topUp @param {string} unit */
function lineOf({ amount, reason, by, created_at: at }, unit) {
  const who = by ?? t("js.admin.command_line")
  return fromTemplate("top-up-template", { amount: formatAmount(amount, unit), reason, by: t("js.admin.top_up_by", { who, time: formatDateTime(at) }) })
}
