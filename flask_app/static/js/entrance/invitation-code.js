// @ts-check
/** Whoever has no link types the code of an invitation, which leads to the form that the link leads to. */
import { ApiError, api } from "app/api.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { sentence } from "app/i18n.js"
import { must, onSubmit } from "app/ui.js"

/**
 * @param {HTMLFormElement} typing where the code is typed, or the whole link pasted @param {HTMLFormElement} form what it leads to
 * @param {(code: string, told: Record<string, string>) => void} take a code that is good, and what it is called
 */
export function askForInvitation(typing, form, take) {
  show(typing, form)
  onSubmit(typing, async ({ code: typed = "" }) => {
    clearFieldErrors(typing)
    const code = typed.slice(typed.lastIndexOf("#") + 1) // of a whole link
    try {
      take(code, await api.post("/api/join/check", { token: code }))
    } catch (error) {
      if (!(error instanceof ApiError && error.code.startsWith("invitation_"))) throw error
      return showFieldError(typing, "code", sentence(error))
    }
    show(form, typing)
  })
}

/** @param {HTMLFormElement} shown @param {HTMLFormElement} hidden */
function show(shown, hidden) {
  hidden.hidden = true
  shown.hidden = false
  must(shown, ".input").focus()
}
