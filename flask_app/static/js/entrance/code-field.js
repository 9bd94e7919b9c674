// @ts-check
/** The part of a form that asks for a code of the second step: six digits or, at the press of a button, a recovery code. */
import { t } from "app/i18n.js"
import { must } from "app/ui.js"

export class CodeField {
  #part
  #input
  #other
  #recovery = false

  /** @param {HTMLFormElement} form that holds partials/code_field.html */
  constructor(form) {
    this.#part = /** @type {HTMLFieldSetElement} */ (must(form, "[data-code-part]"))
    this.#input = /** @type {HTMLInputElement} */ (must(this.#part, '[name="code"]'))
    this.#other = must(this.#part, "[data-other-code]")
    this.#other.addEventListener("click", () => {
      this.#take(!this.#recovery)
      this.#input.focus()
    })
  }

  /** Whether a code is asked for; what is not asked for is not sent. @param {boolean} wanted */
  ask(wanted) {
    this.#part.hidden = this.#part.disabled = !wanted
    this.#take(false)
  }

  focus() {
    this.#input.focus()
  }

  /** A phone shows the keys that are needed, and fills in what it has received. @param {boolean} recovery */
  #take(recovery) {
    this.#recovery = recovery
    this.#input.value = ""
    this.#input.inputMode = recovery ? "text" : "numeric"
    this.#input.autocomplete = recovery ? "off" : "one-time-code"
    must(this.#part, ".field__label").textContent = t(recovery ? "js.second_step.recovery_code" : "js.second_step.code")
    must(this.#part, ".field__hint").textContent = t(recovery ? "js.second_step.recovery_code_hint" : "js.second_step.code_hint")
    this.#other.textContent = t(recovery ? "js.second_step.use_code" : "js.second_step.use_recovery_code")
  }
}
