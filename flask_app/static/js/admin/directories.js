// @ts-check
/** Directories in the settings: the list. */
import { DirectoryForm } from "app/admin/directory-form"
import { api } from "app/api"
import { formatNumber, sentence, t } from "app/i18n"
import { confirmDialog, fromTemplate, must, slot, toast } from "app/ui"

/**
 * @typedef {{id: string, slug: string, name: string, address: string, plain: boolean, certificates: string, bind_dn: string, has_secret: boolean,
 *   base_dn: string, only: string, name_attributes: string[], mail_attribute: string, groups_attribute: string, groups_base: string, nested_groups: string,
 *   groups: {value: string, group_id: string}[], group_id: string, newcomers: string, domains: string[], links_by_email: boolean,
 *   links_by_name: boolean, second_factor: boolean, disabled: boolean, people: number}} Directory
 */

const PATH = "/api/admin/directories"

export class Directories {
  #list = must(document, "[data-directories]")
  /** @type {Map<string, Directory>} */
  #known = new Map()

  /** @param {Directory[]} directories @param {{id: string, name: string}[]} groups */
  constructor(directories, groups) {
    for (const directory of directories) this.#known.set(directory.id, directory)
    this.#show()
    const form = new DirectoryForm(groups, (directory) => this.#keep(directory))
    must(document, "[data-add-directory]").addEventListener("click", () => form.open())
    this.#list.addEventListener("click", ({ target }) => {
      const pressed = /** @type {Element} */ (target)
      const row = pressed.closest("[data-id]")
      const directory = row instanceof HTMLElement && this.#known.get(row.dataset.id ?? "")
      if (!directory) return
      if (pressed.closest("[data-edit]")) form.open(directory)
      if (pressed.closest("[data-delete]")) this.#remove(directory)
    })
  }

  /** @param {Directory} directory */
  #keep(directory) {
    this.#known.set(directory.id, directory)
    this.#show()
    must(this.#list, `[data-id="${directory.id}"] [data-edit]`).focus()
    toast(t("js.admin.identity_saved"))
  }

  /** @param {Directory} directory */
  async #remove({ id, name }) {
    const words = { title: t("js.admin.identity_delete_title", { name }), text: t("js.admin.identity_delete_text"), action: t("js.admin.delete") }
    if (!(await confirmDialog(words))) return
    try {
      await api.delete(`${PATH}/${id}`)
      this.#known.delete(id)
      this.#show()
      must(document, "[data-add-directory]").focus()
      toast(t("js.admin.identity_deleted", { name }))
    } catch (error) {
      toast(sentence(error), { kind: "danger" })
    }
  }

  #show() {
    const directories = [...this.#known.values()]
    this.#list.replaceChildren(...directories.map(rowOf))
    must(document, "[data-directories-none]").hidden = directories.length > 0
  }
}

/** @param {Directory} directory */
function rowOf({ id, name, address, disabled, people }) {
  const state = t(disabled ? "js.admin.identity_off" : "js.admin.identity_on")
  const row = fromTemplate("identity-provider-template", { name, issuer: address, state, people: t("js.admin.identity_people", { count: formatNumber(people) }) })
  row.dataset.id = id
  slot(row, "state").classList.add(disabled ? "badge--off" : "badge--ok")
  must(row, "[data-edit]").setAttribute("aria-label", t("js.admin.identity_edit_this", { name }))
  must(row, "[data-delete]").setAttribute("aria-label", t("js.admin.identity_delete_this", { name }))
  return row
}
