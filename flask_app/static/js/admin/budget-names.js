// @ts-check
/** What a budget is called where it is somebody else's: whose it is, and how much of what in which time. */
import { formatAmount, t } from "app/i18n.js"

/**
 * @typedef {import("app/i18n.js").Budget & {name: string | null, token: string | null, used: number | null}} AdminBudget used
 *   by nobody in particular, where it is one of each person of a group; `token` is the access token's name
 */

/** @param {AdminBudget} budget */
export function whoOf({ scope, name, token }) {
  return t(`js.admin.budget_of_${scope}`, { name: name ?? "", token: token ?? "" })
}

/** @param {AdminBudget} budget */
export function termsOf({ period, limit, unit }) {
  return t(`js.budget.per_${period}`, { limit: formatAmount(limit, unit) })
}
