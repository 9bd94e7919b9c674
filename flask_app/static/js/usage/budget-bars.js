// @ts-check
/** How budgets stand, as bars with their figures. */
import { formatAmount, formatDateTime, nameOfBudget, nameOfZone, t } from "app/i18n.js"
import { fill, fromTemplate, slot } from "app/ui.js"

/** @typedef {import("app/i18n.js").Budget} Budget */

/** The budgets that concern the reader. @param {HTMLElement} section @param {Budget[]} budgets @param {string} zone of the figures beside them */
export function showBudgets(section, budgets, zone) {
  slot(section, "budgets").replaceChildren(...budgets.map(row))
  section.hidden = budgets.length === 0
  const own = section.dataset.timezone ?? zone
  const differs = own !== zone && budgets.some(({ renews_at: renewal }) => renewal !== null)
  slot(section, "zone").hidden = !differs
  slot(section, "zone").textContent = differs ? t("js.budget.zone", { zone: nameOfZone(own) }) : ""
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
  const { limit, full, used, reserved, left, unit, renews_at: renewal } = budget
  const isBalance = budget.period === "prepaid"
  const words = { limit: formatAmount(limit, unit), used: formatAmount(used, unit), left: formatAmount(left, unit) }
  fill(element, { ...words, topped: words.limit, reserved: formatAmount(reserved, unit), renews: renewal ? formatDateTime(renewal) : "" })
  slot(element, "reserved-part").hidden = reserved === 0
  slot(element, "renews-part").hidden = renewal === null
  slot(element, "limit-part").hidden = isBalance
  slot(element, "topped-part").hidden = !isBalance
  slot(element, "soft").hidden = budget.hard
  showState(slot(element, "state"), budget)
  const told = isBalance ? t("js.budget.left_of", { ...words, full: formatAmount(full, unit) }) : t("js.budget.used_of", words)
  drawBar(slot(element, "bar"), budget, name, told)
}

/** @param {HTMLElement} badge @param {Budget} budget */
function showState(badge, { state, hard }) {
  badge.hidden = state === "open"
  if (badge.hidden) return
  badge.textContent = t(`js.budget.state_${state === "exhausted" && !hard ? "reached" : state}`)
  badge.className = `badge badge--dot badge--${state === "low" ? "warn" : "danger"}`
}

/** A balance is drawn from its last top-up on. @param {HTMLElement} bar @param {Budget} budget @param {string} name @param {string} words */
function drawBar(bar, { limit, full, used, reserved, state }, name, words) {
  const since = Math.max(used - (limit - full), 0)
  const share = shareOf(since, full)
  bar.setAttribute("aria-valuenow", String(share))
  bar.setAttribute("aria-valuetext", words)
  bar.setAttribute("aria-label", name)
  bar.classList.add(`budget__bar--${state}`)
  bar.style.setProperty("--used", `${share}%`)
  bar.style.setProperty("--reserved", `${shareOf(since + reserved, full) - share}%`)
}

/** Per cent, a hundred at most: of nothing all is used. @param {number} part @param {number} whole */
const shareOf = (part, whole) => (part < whole ? Math.round((part / whole) * 1000) / 10 : 100)
