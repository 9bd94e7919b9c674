// @ts-check
/** What can be done about a refusal, by its code. */
import { ApiError } from "app/api.js"
import { formatAmount, formatDateTime, nameOfBudget, sentence, t, wayToSignIn } from "app/i18n.js"

export const SPENT = "idempotency_key_reused"
export const TOO_LONG = "conversation_too_long"

/** @param {unknown} error */
export function codeOf(error) {
  return error instanceof ApiError ? error.code : ""
}

/** What was refused and why, with the times of this page. @param {unknown} error @param {boolean} isAdmin */
export function refusalWords(error, isAdmin) {
  if (codeOf(error) === SPENT) return t("js.sent_before")
  if (!(error instanceof ApiError) || error.code !== "budget_exhausted") return sentence(error)
  const budget = /** @type {import("app/i18n.js").Budget & {renews_at: string}} */ (error.params)
  const help = t(`js.budget.help_${isAdmin ? "admin" : "renewing"}`)
  const amounts = { limit: formatAmount(budget.limit, budget.unit), renewal: formatDateTime(budget.renews_at) }
  return t("js.budget.refused", { budget: nameOfBudget(budget), help, ...amounts })
}

/** A page that helps, where there is one. @param {string} code @param {boolean} isAdmin */
export function wayForward(code, isAdmin) {
  if (code === "sign_in_required") return wayToSignIn({ code })
  if (code === "supervision_unseen") return { href: "/supervision", label: t("js.supervision_read") }
  if (["budget_exhausted", "balance_exhausted"].includes(code)) return { href: isAdmin ? "/admin/budgets" : "/dashboard", label: t("js.see_budgets") }
  if (!isAdmin) return null
  if (["no_model", "local_model_unavailable"].includes(code)) return { href: "/admin/keys", label: t("js.add_key") }
  const keysFail = ["no_working_key", "upstream_key_refused", "upstream_no_balance"].includes(code)
  return keysFail ? { href: "/admin/keys", label: t("js.see_keys") } : null
}
