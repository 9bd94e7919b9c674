// @ts-check
/** The dialog that asks for one's password, and for a code of the second step, before an act of one's account. */
import { ApiError } from "app/api.js"
import { CodeField } from "app/entrance/code-field.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { sentence } from "app/i18n.js"
import { fill, must, onSubmit, openDialog } from "app/ui.js"

/** @typedef {{password?: string, code?: string}} Proven */
/** @typedef {{title: string, action: string, asksCode: boolean, act: (proven: Proven) => Promise<void>}} Act */

export class Proof {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-proof]"))
  #code = new CodeField(this.#form)
  /** What it is asked for. @type {Act | null} */
  #act = null

  constructor() {
    const fields = { wrong_password: "own_password", wrong_second_step_code: "code" }
    sendSayingWhere(this.#form, fields, async ({ own_password: password, code }) => this.#act?.act({ password, code }))
  }

  /** @param {Act} act */
  ask(act) {
    this.#act = act
    fill(this.#form, { title: act.title })
    must(this.#form, '[type="submit"]').textContent = act.action
    this.#code.ask(act.asksCode)
    openDialog("proof-dialog")
  }

  close() {
    this.#form.closest("dialog")?.close()
  }
}

/**
 * Sends a form in a dialog; what is wrong with a field is said at it, and nothing stays in it once the dialog has closed.
 * @param {HTMLFormElement} form @param {Record<string, string>} fields by the codes of failures @param {(values: Record<string, string>) => Promise<void>} send
 */
export function sendSayingWhere(form, fields, send) {
  onSubmit(form, async (values) => {
    clearFieldErrors(form)
    try {
      await send(values)
    } catch (error) {
      const name = error instanceof ApiError ? fields[error.code] : undefined
      if (!name) throw error
      showFieldError(form, name, sentence(error))
    }
  })
  form.closest("dialog")?.addEventListener("close", () => {
    clearFieldErrors(form)
    form.reset()
  })
}
