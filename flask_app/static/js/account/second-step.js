// @ts-check
/** The card of the second step: turned on with an authenticator app, new recovery codes, turned off. */
import { api } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { sendSayingWhere } from "app/account/proof.js"
import { showOnce } from "app/shown-once.js"
import { announce, fill, must, openDialog, slot, toast } from "app/ui.js"

/** @typedef {import("app/account/proof.js").Proof} Proof */
/** @typedef {import("app/account/proof.js").Proven} Proven */
/** @typedef {{on: boolean, recovery_codes_left: number}} Standing */

const PATH = "/api/me/second-step"
const FEW = 3

export class SecondStepCard {
  #card = must(document, "[data-second-step]")
  #app = /** @type {HTMLFormElement} */ (must(document, "[data-app]"))
  #proof
  #changed
  #on = false

  /** @param {Standing} standing @param {Proof} proof @param {() => Promise<void>} changed follows a change: other sessions may have ended */
  constructor(standing, proof, changed) {
    this.#proof = proof
    this.#changed = changed
    this.#show(standing)
    this.#offer("turn-on", { title: t("js.account.turn_on_title"), action: t("js.account.continue"), asksCode: false, act: (proven) => this.#begin(proven) })
    this.#offer("renew", { title: t("js.account.renew_title"), action: t("js.account.renew"), asksCode: true, act: (proven) => this.#renew(proven) })
    this.#offer("turn-off", { title: t("js.account.turn_off_title"), action: t("js.account.turn_off"), asksCode: true, act: (proven) => this.#turnOff(proven) })
    sendSayingWhere(this.#app, { wrong_second_step_code: "first_code" }, ({ first_code: code }) => this.#confirm(code))
    this.#app.closest("dialog")?.addEventListener("close", () => this.#forgetSecret())
  }

  /** Is a code asked for? */
  get isOn() {
    return this.#on
  }

  /** @param {Standing} standing */
  #show({ on, recovery_codes_left: left }) {
    this.#on = on
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

  /** @param {string} name of a button @param {import("app/account/proof.js").Act} act */
  #offer(name, act) {
    must(this.#card, `[data-${name}]`).addEventListener("click", () => this.#proof.ask(act))
  }

  /** @param {Proven} proven */
  async #begin(proven) {
    const { secret, uri, qr } = await api.post(PATH, proven)
    this.#proof.close()
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

  /** @param {Proven} proven */
  async #renew(proven) {
    const { recovery_codes: codes } = await api.post(`${PATH}/recovery-codes`, proven)
    this.#proof.close()
    await this.#hand(codes)
  }

  /** @param {Proven} proven */
  async #turnOff(proven) {
    await api.post(`${PATH}/turn-off`, proven)
    this.#proof.close()
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
