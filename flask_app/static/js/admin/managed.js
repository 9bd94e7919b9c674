// @ts-check
/** Entry of a group as its managers see it: its people and what they used, its invitations and budgets. */
import { withParameter } from "app/addresses.js"
import { termsOf, whoOf } from "app/admin/budget-names.js"
import { Invitations } from "app/admin/invitations.js"
import { showLinkOnce } from "app/admin/link-once.js"
import { stateClass, stateOf } from "app/admin/people.js"
import { RowMenu } from "app/admin/row-menu.js"
import { api } from "app/api.js"
import { fillStanding } from "app/usage/budget-bars.js"
import { moneyText } from "app/usage/figures.js"
import { formatDateTime, formatNumber, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { confirmDialog, fill, fromTemplate, must, pageState, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} username
 * @property {"owner" | "admin" | "manager" | "member"} role
 * @property {boolean} disabled
 * @property {boolean} disabled_by_manager whoever is disabled otherwise, administrators alone let in again
 * @property {boolean} online
 * @property {string | null} last_sign_in_at
 * @property {string | null} last_seen_at
 * @typedef {{key: string, total_tokens: number, costs: import("app/usage/figures.js").Cost[]}} Use
 */

const state = pageState("admin-state")
const path = `/api/managed/${state.group.id}`
const rows = must(document, "[data-managed-rows]")
const menu = new RowMenu(rows)
/** @type {Map<string, Person>} */
const people = new Map()
/** @type {Map<string, Use>} */
const used = new Map(/** @type {Use[]} */ (state.use).map((each) => [each.key, each]))
/** @type {string | null} */
let next = null
const budgets = must(document, "[data-budgets]")
/** @type {string | null} */
let nextBudgets = null

append(state)
new Invitations(state.invited, `${path}/invitations`)
appendBudgets(state.budgets)
const total = /** @type {Use[]} */ (state.use).reduce((sum, each) => sum + each.total_tokens, 0)
must(document, "[data-total]").textContent = t("js.budget.tokens", { count: formatNumber(total) })

onMore(must(document, "[data-managed-more]"), async () => append(await api.get(withParameter(`${path}/people`, "before", next ?? ""))))
onMore(must(document, "[data-budgets-more]"), async () => appendBudgets(await api.get(withParameter(`${path}/budgets`, "before", nextBudgets ?? ""))))

menu.addEventListener("open", (event) => {
  const { id, disabled } = personOf(event)
  menu.item("read").hidden = !state.supervised
  menu.item("read").setAttribute("href", `/managed/${state.group.id}/read/${id}`)
  menu.item("link").hidden = disabled
  menu.item("disable").hidden = isLocked(personOf(event))
  menu.item("disable").classList.toggle("menu__item--danger", !disabled)
  fill(menu.item("disable"), { "disable-act": t(disabled ? "js.admin.enable" : "js.admin.disable") })
})

menu.addEventListener("act", async (event) => {
  const { act } = /** @type {CustomEvent} */ (event).detail
  if (act === "read") return
  try {
    await (act === "link" ? makeLink(personOf(event)) : toggleDisabled(personOf(event)))
  } catch (error) {
    tell(error)
  }
})

/** @param {Event} event @returns {Person} */
function personOf(event) {
  const { id } = /** @type {CustomEvent} */ (event).detail
  const person = people.get(id)
  if (!person) throw new Error(`no person ${id} on the page`)
  return person
}

/** @param {{users: Person[], next: string | null}} page */
function append(page) {
  next = page.next
  for (const person of page.users) {
    people.set(person.id, person)
    rows.append(row(person))
  }
  must(document, "[data-managed-none]").hidden = people.size > 0
  must(document, "[data-managed-foot]").hidden = !next
}

/** @param {Person} person */
function row(person) {
  const { id, username: name, role, last_sign_in_at: signedIn, last_seen_at: seen } = person
  const use = used.get(id)
  const element = fromTemplate("managed-template", {
    name,
    initial: [...name][0] ?? "",
    role: t(`js.admin.role_${role}`),
    state: stateOf(person),
    used: formatNumber(use?.total_tokens ?? 0),
    cost: use?.costs.length ? moneyText(use.costs) : "–",
    "signed-in": signedIn ? formatDateTime(signedIn) : t("js.admin.never"),
  })
  element.dataset.id = id
  slot(element, "role").classList.toggle("badge--accent", role !== "member")
  slot(element, "state").className = stateClass(person)
  slot(element, "state").title = seen ? formatDateTime(seen) : ""
  const button = must(element, "[data-menu-button]")
  button.setAttribute("aria-label", t("js.admin.actions_for", { name }))
  button.hidden = role !== "member" || (isLocked(person) && !state.supervised)
  return element
}

/** Only an administrator lets them in again. @param {Person} person */
function isLocked({ disabled, disabled_by_manager: byManager }) {
  return disabled && !byManager
}

/** @param {Person} person */
async function makeLink({ id, username: name }) {
  const words = { title: t("js.admin.reset_title", { name }), text: t("js.admin.reset_text"), action: t("js.admin.reset_action") }
  if (!(await confirmDialog(words))) return
  const { token, expires_at: until } = await api.post(`${path}/people/${id}/reset-link`)
  const text = t("js.admin.link_until", { time: formatDateTime(until) })
  showLinkOnce({ title: t("js.admin.link_for", { name }), text, once: t("js.admin.link_once") }, "/reset", token)
}

/** @param {Person} person */
async function toggleDisabled(person) {
  const { id, username: name, disabled } = person
  const words = { title: t("js.admin.disable_user_title", { name }), text: t("js.admin.disable_user_text", { name }), action: t("js.admin.disable") }
  if (!disabled && !(await confirmDialog(words))) return
  await api.patch(`${path}/people/${id}`, { disabled: !disabled })
  const changed = { ...person, disabled: !disabled, disabled_by_manager: !disabled, online: false }
  people.set(id, changed)
  must(rows, `[data-id="${id}"]`).replaceWith(row(changed))
  must(rows, `[data-id="${id}"] [data-menu-button]`).focus()
  toast(t(disabled ? "js.admin.user_enabled" : "js.admin.user_disabled", { name }))
}

/** @param {{budgets: import("app/admin/budget-names.js").AdminBudget[], next: string | null}} page */
function appendBudgets(page) {
  nextBudgets = page.next
  budgets.append(...page.budgets.map(budgetRow))
  must(document, "[data-budgets-foot]").hidden = !page.next
  must(document, "[data-managed-budgets]").hidden = !budgets.childElementCount
}

/** @param {import("app/admin/budget-names.js").AdminBudget} budget */
function budgetRow(budget) {
  const who = whoOf(budget)
  const element = fromTemplate("budget-entry-template", { who, terms: termsOf(budget) })
  slot(element, "standing").hidden = budget.used === null
  slot(element, "each").hidden = budget.used !== null
  slot(element, "soft").hidden = budget.hard
  if (budget.used !== null) fillStanding(element, budget, t("js.admin.budget_name", { who, terms: termsOf(budget) }))
  return element
}
