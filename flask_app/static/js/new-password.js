// @ts-check
/** The part of a form in which a new password is typed twice: how strong it looks, and whether both are the same. */
import { t } from "app/i18n"
import { must, showFormError, slot } from "app/ui"
import { strengthOf } from "app/password"

export class NewPassword {
  #form
  #input
  #repeat

  /** @param {HTMLFormElement} form that holds partials/new_password.html */
  constructor(form) {
    this.#form = form
    this.#input = /** @type {HTMLInputElement} */ (must(form, '[name="password"]'))
    this.#repeat = /** @type {HTMLInputElement} */ (must(form, '[name="repeat"]'))
    form.addEventListener("input", () => this.#showStrength())
    form.addEventListener("reset", () => queueMicrotask(() => this.#showStrength()))
  }

  /** Whether both are the same; says so in the form where they are not. */
  isRepeated() {
    if (this.#repeat.value === this.#input.value) return true
    showFormError(this.#form, t("js.passwords_differ"))
    this.#repeat.focus()
    return false
  }

  #showStrength() {
    const password = this.#input.value
    const score = strengthOf(password)
    const bar = /** @type {HTMLProgressElement} */ (must(this.#form, "[data-strength] progress"))
    bar.value = score
    slot(this.#form, "strength").textContent = password ? t(`js.strength_${score}`) : ""
  }
}
