// @ts-check
/** Signing in by a passkey: at the press of a button, or as the browser fills it into the field of the name. */
import { api, keepCsrfToken } from "app/api.js"
import { sentence } from "app/i18n.js"
import { fillsIn, hasPasskeys, usePasskey } from "app/entrance/passkey-ceremony.js"
import { must, showFormError } from "app/ui.js"

const PATH = "/api/login/passkey"
const RENEWED_AFTER = 4 * 60_000 // milliseconds: a challenge is good for five minutes
const OF_THE_PERSON = ["passkey_given_up", "passkey_failed"]

/** @typedef {{form: HTMLFormElement, told: () => object, goOn: () => void}} Entry `told` is what the account may keep, `goOn` leads in */

export class PasskeySignIn {
  #button
  #entry
  /** Ends what waits in the field of the name: a browser asks for one passkey at a time. */
  #waiting = new AbortController()

  /** @param {HTMLElement} part of the page @param {Entry} entry */
  constructor(part, entry) {
    this.#entry = entry
    this.#button = must(part, "[data-use-passkey]")
    if (hasPasskeys()) {
      this.#button.addEventListener("click", () => this.#ask())
      this.#wait()
    } else part.remove()
  }

  async #ask() {
    if (this.#button.getAttribute("aria-busy") === "true") return
    this.#waiting.abort()
    showFormError(this.#entry.form, "")
    this.#button.setAttribute("aria-busy", "true")
    try {
      await this.#enter({})
    } catch (error) {
      showFormError(this.#entry.form, sentence(error))
      this.#wait()
    } finally {
      this.#button.removeAttribute("aria-busy")
    }
  }

  /** Once the browser offers passkeys beside names, until one is chosen; what the browser says meanwhile is no matter. */
  async #wait() {
    if (!(await fillsIn())) return
    this.#waiting = new AbortController()
    const { signal } = this.#waiting
    const renewed = setTimeout(() => this.#renew(signal), RENEWED_AFTER)
    try {
      await this.#enter({ mediation: "conditional", signal })
    } catch (error) {
      const { code = "" } = /** @type {{code?: string}} */ (error)
      if (!signal.aborted && !OF_THE_PERSON.includes(code)) showFormError(this.#entry.form, sentence(error))
    } finally {
      clearTimeout(renewed)
    }
  }

  /** @param {AbortSignal} signal of what waits for too long */
  #renew(signal) {
    if (signal.aborted) return
    this.#waiting.abort()
    this.#wait()
  }

  /** @param {{mediation?: CredentialMediationRequirement, signal?: AbortSignal}} how */
  async #enter(how) {
    const credential = await usePasskey(await api.post(`${PATH}/options`), how)
    keepCsrfToken((await api.post(PATH, { credential, ...this.#entry.told() })).csrf_token)
    this.#entry.goOn()
  }
}
