// @ts-check
/** Identity providers in the settings: the list, and who may sign in by a password. */
import { IdentityForm } from "app/admin/identity-form"
import { api } from "app/api"
import { formatNumber, sentence, t } from "app/i18n"
import { confirmDialog, fromTemplate, must, slot, toast } from "app/ui"

/**
 * @typedef {{id: string, slug: string, name: string, issuer: string, client_id: string, has_secret: boolean, scopes: string[],
 *   groups_claim: string, groups: {value: string, group_id: string}[], group_id: string, newcomers: string, domains: string[],
 *   links_by_email: boolean, second_factor: boolean, disabled: boolean, people: number}} Provider
 * @typedef {{identity_providers: Provider[], password_sign_in: {everybody: boolean}}} Standing
 */

const PATH = "/api/admin/identity-providers"

export class IdentityProviders {
  #list = must(document, "[data-identity-providers]")
  #passwords = /** @type {HTMLInputElement} */ (must(document, "[data-passwords]"))
  /** @type {Map<string, Provider>} */
  #known = new Map()

  /** @param {Standing} standing @param {{id: string, name: string}[]} groups */
  constructor({ identity_providers: providers, password_sign_in: passwords }, groups) {
    for (const provider of providers) this.#known.set(provider.id, provider)
    this.#passwords.checked = passwords.everybody
    this.#show()
    const form = new IdentityForm(groups, (provider) => this.#keep(provider))
    must(document, "[data-add-identity]").addEventListener("click", () => form.open())
    this.#passwords.addEventListener("change", () => this.#choose())
    this.#list.addEventListener("click", ({ target }) => {
      const pressed = /** @type {Element} */ (target)
      const row = pressed.closest("[data-id]")
      const provider = row instanceof HTMLElement && this.#known.get(row.dataset.id ?? "")
      if (!provider) return
      if (pressed.closest("[data-edit]")) form.open(provider)
      if (pressed.closest("[data-delete]")) this.#remove(provider)
    })
  }

  /** @param {Provider} provider */
  #keep(provider) {
    this.#known.set(provider.id, provider)
    this.#show()
    must(this.#list, `[data-id="${provider.id}"] [data-edit]`).focus()
    toast(t("js.admin.identity_saved"))
  }

  /** @param {Provider} provider */
  async #remove({ id, name }) {
    const words = { title: t("js.admin.identity_delete_title", { name }), text: t("js.admin.identity_delete_text"), action: t("js.admin.delete") }
    if (!(await confirmDialog(words))) return
    try {
      await api.delete(`${PATH}/${id}`)
      this.#known.delete(id)
      this.#show()
      must(document, "[data-add-identity]").focus()
      toast(t("js.admin.identity_deleted", { name }))
    } catch (error) {
      toast(sentence(error), { kind: "danger" })
    }
  }

  async #choose() {
    try {
      const { everybody } = await api.put("/api/admin/settings/password-sign-in", { everybody: this.#passwords.checked })
      this.#passwords.checked = everybody
      toast(t("js.admin.identity_passwords_saved"))
    } catch (error) {
      this.#passwords.checked = !this.#passwords.checked
      toast(sentence(error), { kind: "danger" })
    }
  }

  #show() {
    const providers = [...this.#known.values()]
    this.#list.replaceChildren(...providers.map(rowOf))
    must(document, "[data-identity-none]").hidden = providers.length > 0
  }
}

/** @param {Provider} provider */
function rowOf({ id, name, issuer, disabled, people }) {
  const state = t(disabled ? "js.admin.identity_off" : "js.admin.identity_on")
  const row = fromTemplate("identity-provider-template", { name, issuer, state, people: t("js.admin.identity_people", { count: formatNumber(people) }) })
  row.dataset.id = id
  slot(row, "state").classList.add(disabled ? "badge--off" : "badge--ok")
  must(row, "[data-edit]").setAttribute("aria-label", t("js.admin.identity_edit_this", { name }))
  must(row, "[data-delete]").setAttribute("aria-label", t("js.admin.identity_delete_this", { name }))
  return row
}
