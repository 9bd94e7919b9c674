// @ts-check
/** Who may make an account without an invitation, in the settings. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { must, onSubmit, toast } from "app/ui.js"

/** @typedef {{mode: string, group_id: string, domains: string[], confirms: boolean}} Terms */

export class RegistrationForm {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-registration-form]"))

  /** @param {Terms} terms @param {{id: string, name: string}[]} groups */
  constructor(terms, groups) {
    must(this.#form, "select").replaceChildren(...groups.map(({ id, name }) => new Option(name, id)))
    this.#show(terms)
    this.#form.addEventListener("change", () => this.#showTerms())
    onSubmit(this.#form, async ({ mode, group: group_id, domains = "" }) => {
      const wanted = { mode, group_id, domains: domains.split(/[\s,，、;；]+/).filter(Boolean) }
      this.#show(await api.put("/api/admin/settings/registration", wanted))
      toast(t("js.admin.registration_saved"))
    })
  }

  /** @param {Terms} terms */
  #show({ mode, group_id: group, domains, confirms }) {
    /** @type {RadioNodeList} */ (this.#form.elements.namedItem("mode")).value = mode
    this.#field("group").value = group
    this.#field("domains").value = domains.join(", ")
    must(this.#form, "[data-confirms]").hidden = !confirms
    must(this.#form, "[data-confirms-not]").hidden = confirms
    this.#showTerms()
  }

  /** Where nobody may there is nothing more to say. */
  #showTerms() {
    must(this.#form, "[data-registration-terms]").hidden = new FormData(this.#form).get("mode") === "closed"
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name))
  }
}
