// @ts-check
/** The form of a budget: for whom, of what, for how long, how much; filled from one that is there, read as the server takes it. */
import { typedAmount } from "app/amounts.js"
import { findPerson, suggestPeople } from "app/admin/people-search.js"
import { FieldMistake } from "app/field-errors.js"
import { t } from "app/i18n.js"
import { TOKENS, limitOf, limitWords } from "app/programs/limits.js"
import { must, slot } from "app/ui.js"

/** @typedef {import("app/admin/budgets.js").AdminBudget} AdminBudget */
/** @typedef {{scope: string, scope_id: string, unit: string, period: string}} Place */
/** @typedef {{limit: number, hard: boolean, reason?: string}} Terms a balance begins with a reason */

export const PREPAID = "prepaid"

export class BudgetForm {
  #form
  /** The one that is being changed: it stays for whom and what it is. @type {AdminBudget | null} */
  #changed = null

  /** @param {HTMLFormElement} form @param {{id: string, name: string}[]} groups */
  constructor(form, groups) {
    this.#form = form
    must(form, '[name="group"]').append(...groups.map(({ id, name }) => new Option(name, id)))
    suggestPeople(this.#field("person"), must(form, "#known-people"))
    form.addEventListener("change", () => this.#showParts())
    form.addEventListener("input", () => this.#showAmount())
  }

  /** @param {AdminBudget | null} budget null for a new one @param {string} [person] whom a new one is for, to begin with */
  fill(budget, person) {
    this.#changed = budget
    this.#form.reset()
    if (person) {
      this.#radio("scope", "user").checked = true
      this.#field("person").value = person
    }
    if (budget) {
      this.#field("limit").value = typedAmount(budget.limit, budget.unit)
      this.#radio("kind", budget.hard ? "hard" : "soft").checked = true
    }
    this.#showParts()
    this.#showAmount()
  }

  /** @param {Record<string, string>} values @returns {Promise<Place>} throws FieldMistake, ApiError */
  async place({ scope = "", group = "", person = "", period = "", ...values }) {
    const unit = unitOf(values)
    if (scope === "site") return { scope, scope_id: "", unit, period }
    if (scope !== "user") return { scope, scope_id: group, unit, period }
    const id = await findPerson(person)
    if (!id) throw new FieldMistake("person", t("js.admin.budget_no_person", { name: person.trim() }))
    return { scope, scope_id: id, unit, period }
  }

  /** @param {Record<string, string>} values @returns {Terms} throws FieldMistake */
  terms({ limit = "", kind, reason, ...values }) {
    const unit = this.#changed?.unit ?? unitOf(values)
    const amount = limitOf(limit, unit, { least: reason === undefined ? 1 : 0 })
    return reason === undefined ? { limit: amount, hard: kind === "hard" } : { limit: amount, hard: true, reason }
  }

  #showParts() {
    const { scope, measure, period } = this.#values()
    const prepaid = period === PREPAID && !this.#changed
    this.#offer("[data-place]", !this.#changed)
    this.#offer("[data-group-part]", scope === "group" || scope === "member")
    this.#offer("[data-person-part]", scope === "user")
    this.#offer("[data-currency-part]", measure === "money")
    this.#offer("[data-reason-part]", prepaid)
    this.#offer("[data-kind-part]", !prepaid)
    for (const place of this.#form.querySelectorAll("[data-prepaid]")) {
      place.textContent = place.getAttribute(prepaid ? "data-prepaid" : "data-renewing")
    }
    this.#showAmount()
  }

  /** How the server will understand what is typed. */
  #showAmount() {
    const { limit = "", ...values } = this.#values()
    const unit = this.#changed?.unit ?? unitOf(values)
    slot(this.#form, "amount").textContent = limitWords(limit, unit)
  }

  /** What is not asked for is neither sent nor wanted. @param {string} part @param {boolean} on */
  #offer(part, on) {
    const place = /** @type {HTMLFieldSetElement} */ (must(this.#form, part))
    place.hidden = place.disabled = !on
  }

  /** Also those that are disabled with their part. @returns {Record<string, string>} */
  #values() {
    return Object.fromEntries([...new FormData(this.#form)].map(([name, value]) => [name, String(value)]))
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (must(this.#form, `[name="${name}"]`))
  }

  /** @param {string} name @param {string} value */
  #radio(name, value) {
    return /** @type {HTMLInputElement} */ (must(this.#form, `[name="${name}"][value="${value}"]`))
  }
}

/** @param {Record<string, string>} values */
const unitOf = ({ measure, currency = "" }) => (measure === "money" ? currency.trim().toUpperCase() : TOKENS)
