// @ts-check
/** The card of the second step: turned on with an authenticator app, new recovery codes, turned off. */
import { ApiError, api } from "app/api"
import { CodeField } from "app/code-field"
import { clearFieldErrors, showFieldError } from "app/field-errors"
import { formatNumber, sentence, t } from "app/i18n"
import { showOnce } from "app/shown-once"
import { announce, fill, must, onSubmit, openDialog, slot, toast } from "app/ui"

/** @typedef {{on: boolean, recovery_codes_left: number}} Standing */
/** @typedef {{password?: string, code?: string}} Proof */
/** @typedef {{title: string, action: string, asksCode: boolean, act: (proof: Proof) => Promise<void>}} Change */

const PATH = "/api/me/second-step"
const FEW = 3

export class SecondStepCard {
  #card = must(document, "[data-second-step]")
  #proof = /** @type {HTMLFormElement} */ (must(document, "[data-proof]"))
  #app = /** @type {HTMLFormElement} */ (must(document, "[data-app]"))
  #code = new CodeField(this.#proof)
  /** What the password is asked for. @type {Change | null} */
  #change = null
  #changed

  /** @param {Standing} standing @param {() => Promise<void>} changed follows a change: other sessions may have ended */
  constructor(standing, changed) {
    this.#changed = changed
    this.#show(standing)
    this.#offer("turn-on", { title: t("js.account.turn_on_title"), action: t("js.account.continue"), asksCode: false, act: (proof) => this.#begin(proof) })
    this.#offer("renew", { title: t("js.account.renew_title"), action: t("js.account.renew"), asksCode: true, act: (proof) => this.#renew(proof) })
    this.#offer("turn-off", { title: t("js.account.turn_off_title"), action: t("js.account.turn_off"), asksCode: true, act: (proof) => this.#turnOff(proof) })
    this.#listen(this.#proof, async ({ own_password: password, code }) => this.#change?.act({ password, code }))
    this.#listen(this.#app, ({ first_code: code }) => this.#confirm(code))
    this.#app.closest("dialog")?.addEventListener("close", () => this.#forgetSecret())
  }

  /** @param {Standing} standing */
  #show({ on, recovery_codes_left: left }) {
    fill(this.#card, {
      state: t(on ? "js.account.on" : "js.account.off"),
      left: t("js.account.codes_left", { count: formatNumber(left) }),
    })
    slot(this.#card, "state").classList.toggle("badge--ok", on)
    must(this.#card, "[data-while-on]").hidden = !on
    must(this.#card, "[data-few]").hidden = left > FEW
    must(this.#card, "[data-turn-on]").hidden = on
    for (const name of ["renew", "turn-off"]) must(this.#card, `[data-${name}]`).hidden = !on
  }

  /** @param {string} name of a button @param {Change} change */
  #offer(name, change) {
    must(this.#card, `[data-${name}]`).addEventListener("click", () => {
      this.#change = change
      fill(this.#proof, { title: change.title })
      must(this.#proof, '[type="submit"]').textContent = change.action
      this.#code.ask(change.asksCode)
      openDialog("proof-dialog")
    })
  }

  /** What is wrong is said at its field. @param {HTMLFormElement} form @param {(values: Record<string, string>) => Promise<void>} send */
  #listen(form, send) {
    /** @type {Record<string, string>} */
    const fields = { wrong_password: "own_password", wrong_second_step_code: form === this.#app ? "first_code" : "code" }
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

  /** @param {Proof} proof */
  async #begin(proof) {
    const { secret, uri, qr } = await api.post(PATH, proof)
    this.#proof.closest("dialog")?.close()
    fill(this.#app, { secret: secret.match(/.{1,4}/g).join(" ") })
    this.#picture.src = qr
    this.#link.href = uri
    openDialog("app-dialog")
    await this.#changed()
  }

  /** @param {string} [code] */
  async #confirm(code) {
    const { recovery_codes: codes } = await api.post(`${PATH}/confirm`, { code })
    this.#app.closest("dialog")?.close()
    announce(t("js.account.turned_on"))
    await this.#hand(codes)
  }

  /** @param {Proof} proof */
  async #renew(proof) {
    const { recovery_codes: codes } = await api.post(`${PATH}/recovery-codes`, proof)
    this.#proof.closest("dialog")?.close()
    await this.#hand(codes)
  }

  /** @param {Proof} proof */
  async #turnOff(proof) {
    await api.post(`${PATH}/turn-off`, proof)
    this.#proof.closest("dialog")?.close()
    this.#show({ on: false, recovery_codes_left: 0 })
    must(this.#card, "[data-turn-on]").focus()
    toast(t("js.account.turned_off"))
    await this.#changed()
  }

  /** @param {string[]} codes */
  async #hand(codes) {
    this.#show({ on: true, recovery_codes_left: codes.length })
    must(this.#card, "[data-renew]").focus() // where the dialog gives the focus back to
    const words = t("js.account.recovery_file", { name: this.#card.dataset.name ?? "", site: location.host })
    showOnce("recovery-dialog", codes, new Blob([[words, "", ...codes, ""].join("\r\n")], { type: "text/plain" }))
    await this.#changed()
  }

  #forgetSecret() {
    fill(this.#app, { secret: "" })
    this.#picture.removeAttribute("src")
    this.#link.removeAttribute("href")
  }

  get #picture() {
    return /** @type {HTMLImageElement} */ (must(this.#app, "[data-qr]"))
  }

  get #link() {
    return /** @type {HTMLAnchorElement} */ (must(this.#app, "[data-open-app]"))
  }
}
