// @ts-check
/** One's mail address on the account page: given, and confirmed by a code that comes there. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { sendSayingWhere } from "app/account/proof.js"
import { fill, must, onSubmit, openDialog, tell, toast } from "app/ui.js"

/** @typedef {{email: string | null, email_confirmed: boolean}} Own */

/** Nothing, where the site sends no mail. @param {import("app/account/proof.js").Proof} proof */
export function offerOwnAddress(proof) {
  const form = document.querySelector("[data-warnings-form]")
  if (form instanceof HTMLFormElement) new OwnAddress(form, proof)
}

class OwnAddress {
  #form
  #proof
  #part = must(document, "[data-address]")
  #code = /** @type {HTMLFormElement} */ (must(document, "[data-address-code]"))
  #email = ""

  /** @param {HTMLFormElement} form @param {import("app/account/proof.js").Proof} proof */
  constructor(form, proof) {
    this.#form = form
    this.#proof = proof
    this.#email = this.#part.dataset.address ?? ""
    onSubmit(form, (values) => this.#give(values))
    must(this.#part, "[data-confirm-address]").addEventListener("click", () => this.#begin())
    sendSayingWhere(this.#code, { wrong_address_code: "address_code" }, ({ address_code: code = "" }) => this.#confirm(code))
  }

  /** @param {Record<string, string>} values */
  async #give({ email = "", warn_by_email: wanted }) {
    const { user } = await api.patch("/api/me", { email, warn_by_email: wanted !== undefined })
    this.#show(user)
    toast(t("js.account.saved"))
  }

  async #begin() {
    const words = { title: t("js.account.address_title", { email: this.#email }), action: t("js.account.address_send") }
    if (this.#part.hasAttribute("data-asks-password")) return this.#proof.ask({ ...words, asksCode: false, act: ({ password }) => this.#send(password) })
    await this.#send().catch(tell)
  }

  /** @param {string} [password] */
  async #send(password) {
    await api.post("/api/me/email/code", { password })
    this.#proof.close()
    fill(this.#code, { title: t("js.account.address_sent", { email: this.#email }) })
    openDialog("address-dialog")
  }

  /** @param {string} code */
  async #confirm(code) {
    const { user } = await api.post("/api/me/email/confirm", { code })
    this.#code.closest("dialog")?.close()
    this.#show(user)
    toast(t("js.account.address_done"))
  }

  /** @param {Own} user */
  #show({ email, email_confirmed: isConfirmed }) {
    this.#email = email ?? ""
    const input = /** @type {HTMLInputElement} */ (must(this.#form, '[name="email"]'))
    input.value = this.#email
    this.#part.hidden = !email
    must(this.#part, "[data-address-confirmed]").hidden = !isConfirmed
    must(this.#part, "[data-address-unconfirmed]").hidden = isConfirmed
  }
}
