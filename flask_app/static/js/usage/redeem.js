// @ts-check
/** A code that becomes a balance. */
import { ApiError, api } from "app/api.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { formatAmount, sentence, t } from "app/i18n.js"
import { must, onSubmit, toast } from "app/ui.js"

/** @typedef {import("app/i18n.js").Budget} Budget */

/** @param {HTMLElement} section @param {(balance: Budget) => void} keep what the balance has become */
export function offerRedeeming(section, keep) {
  const form = /** @type {HTMLFormElement} */ (must(section, "[data-redeem-form]"))
  section.hidden = false
  onSubmit(form, async ({ code }) => {
    clearFieldErrors(form)
    try {
      const { amount, balance } = await api.post("/api/redemptions", { code })
      form.reset()
      keep(balance)
      toast(t("js.budget.redeemed", { amount: formatAmount(amount, balance.unit), left: formatAmount(balance.left, balance.unit) }))
    } catch (error) {
      if (!(error instanceof ApiError && error.code.startsWith("code_"))) throw error
      showFieldError(form, "code", sentence(error))
    }
  })
}
