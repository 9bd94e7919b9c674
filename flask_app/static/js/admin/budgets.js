// @ts-check
/** Entry of the budgets: how each stands; add, change, delete. */
import { BudgetForm, PREPAID } from "app/admin/budget-form.js"
import { termsOf, whoOf } from "app/admin/budget-names.js"
import { TopUps } from "app/admin/top-ups.js"
import { withParameter } from "app/addresses.js"
import { ApiError, api } from "app/api.js"
import { fillStanding } from "app/usage/budget-bars.js"
import { FieldMistake, clearFieldErrors, showFieldError } from "app/field-errors.js"
import { sentence, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {import("app/admin/budget-names.js").AdminBudget} AdminBudget
 * @typedef {{budgets: AdminBudget[], next: string | null}} Page
 */

const PATH = "/api/admin/budgets"
const FIRST_ACT = ".entry__acts > :not([hidden])"
/** Beside which field a refusal is said. @type {Record<string, string>} */
const FIELDS = { bad_balance: "period", bad_reason: "reason", bad_budget_limit: "limit", bad_budget_period: "period", bad_budget_scope: "scope", bad_currency: "currency", currency_is_called: "currency", currency_not_billed: "currency", budget_exists: "period", not_found: "person", unknown_group: "group" }
const list = must(document, "[data-budgets]")
const more = must(document, "[data-budgets-more]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-budget-form]"))
const state = pageState("admin-state")
const fields = new BudgetForm(form, state.groups)
/** @type {Map<string, AdminBudget>} */
const budgets = new Map()
/** @type {string | null} */
let next = null
/** The one that the form is open for; null for a new one. @type {AdminBudget | null} */
let edited = null
const topUps = new TopUps(/** @type {HTMLFormElement} */ (must(document, "[data-top-up-form]")), keep)

append(state)

must(document, "[data-new-budget]").addEventListener("click", () => edit(null))
onMore(more, loadMore)
list.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-edit], [data-top-up], [data-delete]")
  const row = button?.closest("[data-id]")
  const budget = row instanceof HTMLElement && budgets.get(row.dataset.id ?? "")
  if (!budget) return
  if (button?.matches("[data-edit]")) edit(budget)
  else if (button?.matches("[data-top-up]")) topUps.open(budget, nameOf(budget))
  else remove(budget)
})

onSubmit(form, async (values) => {
  clearFieldErrors(form)
  try {
    const saved = await save(values)
    form.closest("dialog")?.close()
    keep(saved)
    toast(t(edited ? "js.admin.budget_saved" : "js.admin.budget_added", { name: nameOf(saved) }))
  } catch (error) {
    const field = fieldOf(error)
    if (!field) throw error
    showFieldError(form, field, sentence(error))
  }
})

/** @param {Record<string, string>} values @returns {Promise<AdminBudget>} */
async function save(values) {
  const terms = fields.terms(values)
  return edited ? api.patch(`${PATH}/${edited.id}`, terms) : api.post(PATH, { ...(await fields.place(values)), ...terms })
}

/** @param {unknown} error */
function fieldOf(error) {
  if (error instanceof FieldMistake) return error.field
  const field = error instanceof ApiError ? FIELDS[error.code] : undefined
  return edited && field !== "limit" ? undefined : field // the others are not asked for then
}

/** @param {Page} page */
function append(page) {
  next = page.next
  for (const budget of page.budgets) budgets.set(budget.id, budget)
  list.append(...page.budgets.map(row))
  must(document, "[data-budgets-foot]").hidden = !next
  sayWhetherThereAreAny()
}

/** In its place, or a new one at the top. @param {AdminBudget} budget */
function keep(budget) {
  const after = row(budget)
  if (budgets.has(budget.id)) rowOf(budget).replaceWith(after)
  else list.prepend(after)
  budgets.set(budget.id, budget)
  must(after, FIRST_ACT).focus()
  sayWhetherThereAreAny()
}

/** @param {AdminBudget} budget */
function drop(budget) {
  rowOf(budget).remove()
  budgets.delete(budget.id)
  must(document, "[data-new-budget]").focus()
  sayWhetherThereAreAny()
}

/** @param {AdminBudget} budget */
function rowOf({ id }) {
  return must(list, `[data-id="${id}"]`)
}

function sayWhetherThereAreAny() {
  must(document, "[data-budgets-none]").hidden = budgets.size > 0 || next !== null
}

/** The button may go: the focus moves on to the first that was not there. */
async function loadMore() {
  const last = list.lastElementChild
  const path = state.person ? withParameter(PATH, "person", state.person.id) : PATH
  append(await api.get(withParameter(path, "before", next ?? "")))
  must(last?.nextElementSibling ?? list, FIRST_ACT).focus({ preventScroll: true })
}

/** @param {AdminBudget} budget */
function row(budget) {
  const name = nameOf(budget)
  const element = fromTemplate("budget-entry-template", { who: whoOf(budget), terms: termsOf(budget) })
  element.dataset.id = budget.id
  slot(element, "standing").hidden = budget.used === null
  slot(element, "each").hidden = budget.used !== null
  slot(element, "soft").hidden = budget.hard
  if (budget.used !== null) fillStanding(element, budget, name)
  must(element, "[data-edit]").hidden = budget.period === PREPAID
  must(element, "[data-top-up]").hidden = budget.period !== PREPAID
  must(element, "[data-top-up]").setAttribute("aria-label", t("js.admin.top_up", { name }))
  must(element, "[data-edit]").setAttribute("aria-label", t("js.admin.budget_edit", { name }))
  must(element, "[data-delete]").setAttribute("aria-label", t("js.admin.budget_delete", { name }))
  return element
}

/** @param {AdminBudget} budget */
function nameOf(budget) {
  return t("js.admin.budget_name", { who: whoOf(budget), terms: termsOf(budget) })
}

/** @param {AdminBudget | null} budget */
function edit(budget) {
  edited = budget
  clearFieldErrors(form)
  fields.fill(budget, state.person?.username)
  fill(form, { title: budget ? t("js.admin.budget_edit", { name: nameOf(budget) }) : t("js.admin.budget_new") })
  openDialog("budget-dialog")
}

/** @param {AdminBudget} budget */
async function remove(budget) {
  const name = nameOf(budget)
  const words = { title: t("js.admin.budget_delete_title"), text: t("js.admin.budget_delete_text", { name }), action: t("js.admin.delete") }
  if (!(await confirmDialog(words))) return
  try {
    await api.delete(`${PATH}/${budget.id}`)
    drop(budget)
    toast(t("js.admin.budget_deleted", { name }))
  } catch (error) {
    tell(error)
  }
}
