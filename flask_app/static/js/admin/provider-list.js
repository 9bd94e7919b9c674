// @ts-check
/** A list in the settings of what signs people in: each opens its dialog, or is deleted after a question. */
import { api } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { confirmDialog, fromTemplate, must, slot, tell, toast } from "app/ui.js"

/**
 * What every kind has.
 * @typedef {{id: string, name: string, disabled: boolean, people: number}} Listed
 */

/** @template {Listed} Kind */
export class ProviderList {
  /** @type {Map<string, Kind>} */
  #known
  #list
  #add
  #none
  #path
  #addressOf

  /**
   * @param {Kind[]} providers
   * @param {{path: string, list: string, add: string, none: string, addressOf: (provider: Kind) => string, form: (keep: (provider: Kind) => void) => {open: (provider?: Kind) => void}}} of
   *   the API's path, selectors of the page's parts, and the dialog
   */
  constructor(providers, { path, list, add, none, addressOf, form: makeForm }) {
    this.#known = new Map(providers.map((provider) => [provider.id, provider]))
    this.#list = must(document, list)
    this.#add = must(document, add)
    this.#none = must(document, none)
    this.#path = path
    this.#addressOf = addressOf
    this.#show()
    const form = makeForm((provider) => this.#keep(provider))
    this.#add.addEventListener("click", () => form.open())
    this.#list.addEventListener("click", ({ target }) => {
      const pressed = /** @type {Element} */ (target)
      const row = pressed.closest("[data-id]")
      const provider = row instanceof HTMLElement && this.#known.get(row.dataset.id ?? "")
      if (!provider) return
      if (pressed.closest("[data-edit]")) form.open(provider)
      if (pressed.closest("[data-delete]")) this.#remove(provider)
    })
  }

  /** @param {Kind} provider */
  #keep(provider) {
    this.#known.set(provider.id, provider)
    this.#show()
    must(this.#list, `[data-id="${provider.id}"] [data-edit]`).focus()
    toast(t("js.admin.identity_saved"))
  }

  /** @param {Kind} provider */
  async #remove({ id, name }) {
    const words = { title: t("js.admin.identity_delete_title", { name }), text: t("js.admin.identity_delete_text"), action: t("js.admin.delete") }
    if (!(await confirmDialog(words))) return
    try {
      await api.delete(`${this.#path}/${id}`)
      this.#known.delete(id)
      this.#show()
      this.#add.focus()
      toast(t("js.admin.identity_deleted", { name }))
    } catch (error) {
      tell(error)
    }
  }

  #show() {
    const providers = [...this.#known.values()]
    this.#list.replaceChildren(...providers.map((provider) => rowOf(provider, this.#addressOf(provider))))
    this.#none.hidden = providers.length > 0
  }
}

/** @param {Listed} provider @param {string} issuer */
function rowOf({ id, name, disabled, people }, issuer) {
  const state = t(disabled ? "js.admin.identity_off" : "js.admin.identity_on")
  const row = fromTemplate("identity-provider-template", { name, issuer, state, people: t("js.admin.identity_people", { count: formatNumber(people) }) })
  row.dataset.id = id
  slot(row, "state").classList.add(disabled ? "badge--off" : "badge--ok")
  must(row, "[data-edit]").setAttribute("aria-label", t("js.admin.identity_edit_this", { name }))
  must(row, "[data-delete]").setAttribute("aria-label", t("js.admin.identity_delete_this", { name }))
  return row
}
