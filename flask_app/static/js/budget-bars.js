// @ts-check
/** How budgets stand, as bars with their figures. */
import { formatAmount, formatDateTime, nameOfBudget, t } from "app/i18n"
import { fill, fromTemplate, slot } from "app/ui"

/** @typedef {import("app/i18n").Budget} Budget */

/** The budgets that concern the reader. @param {HTMLElement} section @param {Budget[]} budgets */
export function showBudgets(section, budgets) {
  slot(section, "budgets").replaceChildren(...budgets.map(row))
  section.hidden = budgets.length === 0
}

/** @param {Budget} budget */
function row(budget) {
  const name = nameOfBudget(budget)
  const element = fromTemplate("budget-template", { name })
  fillStanding(element, budget, name)
  return element
}

/** Its bar, its figures, when it renews, and what there is to warn of. @param {HTMLElement} element @param {Budget} budget @param {string} name */
export function fillStanding(element, budget, name) {
  const { limit, used, reserved, left, unit, renews_at: renewal } = budget
  const words = { limit: formatAmount(limit, unit), used: formatAmount(used, unit) }
  const more = { reserved: formatAmount(reserved, unit), left: formatAmount(left, unit), renews: formatDateTime(renewal) }
  fill(element, { ...words, ...more })
  slot(element, "reserved-part").hidden = reserved === 0
  slot(element, "soft").hidden = budget.hard
  showState(slot(element, "state"), budget)
  drawBar(slot(element, "bar"), budget, name, t("js.budget.used_of", words))
}

/** @param {HTMLElement} badge @param {Budget} budget */
function showState(badge, { state, hard }) {
  badge.hidden = state === "open"
  if (badge.hidden) return
  badge.textContent = t(`js.budget.state_${state === "exhausted" && !hard ? "reached" : state}`)
  badge.className = `badge badge--dot badge--${state === "low" ? "warn" : "danger"}`
}

/** @param {HTMLElement} bar @param {Budget} budget @param {string} name @param {string} words */
function drawBar(bar, { limit, used, reserved, state }, name, words) {
  const share = shareOf(used, limit)
  bar.setAttribute("aria-valuenow", String(share))
  bar.setAttribute("aria-valuetext", words)
  bar.setAttribute("aria-label", name)
  bar.classList.add(`budget__bar--${state}`)
  bar.style.setProperty("--used", `${share}%`)
  bar.style.setProperty("--reserved", `${shareOf(used + reserved, limit) - share}%`)
}

/** Per cent, a hundred at most: of nothing all is used. @param {number} part @param {number} whole */
const shareOf = (part, whole) => (part < whole ? Math.round((part / whole) * 1000) / 10 : 100)
