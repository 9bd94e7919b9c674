// @ts-check
/** The part of a form in which a new password is typed twice: how strong it looks, and whether both are the same. */
import { request } from "app/api.js"
import { t } from "app/i18n.js"
import { commonOf, refusalOf, strengthOf } from "app/account/password.js"
import { must, showFormError, slot } from "app/ui.js"

export class NewPassword {
  #form
  #input
  #repeat
  #meter
  /** @type {Promise<void> | null} */
  #loading = null
  /** What guessers try first; without it no password is called good. @type {ReadonlySet<string> | null} */
  #common = null

  /** @param {HTMLFormElement} form that holds partials/new_password.html and a field `username` */
  constructor(form) {
    this.#form = form
    this.#input = /** @type {HTMLInputElement} */ (must(form, '[name="password"]'))
    this.#repeat = /** @type {HTMLInputElement} */ (must(form, '[name="repeat"]'))
    this.#meter = must(form, "[data-strength]")
    form.addEventListener("input", () => this.#show())
    form.addEventListener("reset", () => queueMicrotask(() => this.#show()))
  }

  /** Whether both are the same; says so in the form where they are not. */
  isRepeated() {
    if (this.#repeat.value === this.#input.value) return true
    showFormError(this.#form, t("js.passwords_differ"))
    this.#repeat.focus()
    return false
  }

  #show() {
    const password = this.#input.value
    if (password) this.#loading ??= this.#load()
    const { score, words } = this.#judge(password)
    const bar = /** @type {HTMLProgressElement} */ (must(this.#meter, "progress"))
    bar.value = score
    slot(this.#meter, "strength").textContent = words
  }

  /** @param {string} password */
  #judge(password) {
    const username = /** @type {HTMLInputElement} */ (must(this.#form, '[name="username"]')).value.trim()
    const refusal = password && refusalOf(password, username, this.#common ?? new Set())
    if (refusal) return { score: refusal === "password_too_short" ? 0 : 1, words: t(`js.strength_${refusal}`) }
    if (!password || !this.#common) return { score: 0, words: "" }
    const score = strengthOf(password)
    return { score, words: t(`js.strength_${score}`) }
  }

  async #load() {
    try {
      this.#common = commonOf(await (await request(this.#meter.dataset.strength ?? "")).text())
      this.#show()
    } catch {
      this.#loading = null // the next character tries again; the server judges in any case
    }
  }
}
