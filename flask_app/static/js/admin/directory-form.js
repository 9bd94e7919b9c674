// @ts-check
/** The dialog that sets a directory up: how it is asked, whom it finds, and what its word is worth. */
import { GroupRows } from "app/admin/group-rows.js"
import { api } from "app/api.js"
import { sentence, t } from "app/i18n.js"
import { fill, must, onSubmit, openDialog } from "app/ui.js"

/** @typedef {import("app/admin/directories.js").Directory} Directory */

const PATH = "/api/admin/directories"
const WORDS = /** @type {const} */ (["address", "certificates", "bind_dn", "base_dn", "only", "mail_attribute", "groups_attribute", "groups_base"])
const CHOICES = /** @type {const} */ (["second_factor", "links_by_name", "links_by_email"])

export class DirectoryForm {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-directory]"))
  #tried = must(this.#form, "[data-tried]")
  #found = must(this.#form, "[data-found]")
  #rows
  /** The one that it is open for; none: a new one. @type {Directory | undefined} */
  #edited

  /** @param {{id: string, name: string}[]} groups @param {(directory: Directory) => void} keep */
  constructor(groups, keep) {
    const label = must(/** @type {HTMLTemplateElement} */ (must(document, "#identity-group-template")).content, "input").dataset.directoryLabel
    this.#rows = new GroupRows(this.#form, groups, /** @type {HTMLSelectElement} */ (this.#form.elements.namedItem("dir_group")), label)
    for (const name of ["groups_attribute", "groups_base"]) this.#field(name).addEventListener("input", () => this.#showTable())
    must(this.#form, "[data-try-directory]").addEventListener("click", (event) => this.#try(/** @type {HTMLElement} */ (event.currentTarget)))
    onSubmit(this.#form, async () => {
      const wanted = this.#wanted()
      const kept = this.#edited ? await api.put(`${PATH}/${this.#edited.id}`, wanted) : await api.post(PATH, { ...wanted, slug: this.#field("dir_slug").value })
      this.#form.closest("dialog")?.close()
      keep(kept)
    })
  }

  /** @param {Directory} [directory] */
  open(directory) {
    this.#edited = directory
    this.#form.reset()
    this.#tried.textContent = ""
    this.#found.hidden = true
    fill(this.#form, { title: t(directory ? "js.admin.directory_edit" : "js.admin.directory_new") })
    this.#fill(directory)
    this.#showTable()
    openDialog("directory-dialog")
  }

  /** @param {Directory} [directory] */
  #fill(directory) {
    const slug = this.#field("dir_slug")
    slug.value = directory?.slug ?? ""
    slug.readOnly = Boolean(directory)
    this.#field("dir_name").value = directory?.name ?? ""
    for (const name of WORDS) this.#field(name).value = directory?.[name] ?? (name === "mail_attribute" ? "mail" : "")
    for (const name of CHOICES) this.#field(name).checked = directory?.[name] ?? false
    const plain = this.#form.elements.namedItem("plain")
    if (plain instanceof HTMLInputElement) plain.checked = directory?.plain ?? false
    this.#field("bind_password").placeholder = directory?.has_secret ? t("js.admin.identity_secret_kept") : ""
    this.#field("name_attributes").value = (directory?.name_attributes ?? ["uid"]).join(", ")
    this.#field("dir_domains").value = (directory?.domains ?? []).join(", ")
    this.#field("dir_newcomers").value = directory?.newcomers ?? "closed"
    this.#field("nested_groups").value = directory?.nested_groups ?? "alone"
    if (directory) this.#field("dir_group").value = directory.group_id
    this.#field("enabled").checked = !directory?.disabled
    this.#rows.show(directory?.groups ?? [])
  }

  #wanted() {
    const plain = this.#form.elements.namedItem("plain")
    return {
      name: this.#field("dir_name").value,
      ...Object.fromEntries(WORDS.map((name) => [name, this.#field(name).value])),
      ...Object.fromEntries(CHOICES.map((name) => [name, this.#field(name).checked])),
      plain: plain instanceof HTMLInputElement && plain.checked,
      bind_password: this.#field("bind_password").value || null,
      name_attributes: listed(this.#field("name_attributes").value),
      groups: this.#rows.wanted,
      group_id: this.#field("dir_group").value,
      newcomers: this.#field("dir_newcomers").value,
      nested_groups: this.#field("nested_groups").value,
      domains: listed(this.#field("dir_domains").value),
      disabled: !this.#field("enabled").checked,
    }
  }

  /** @param {HTMLElement} button */
  async #try(button) {
    const name = this.#field("try_name").value
    button.setAttribute("aria-busy", "true")
    this.#tried.textContent = ""
    this.#found.hidden = true
    try {
      const asked = { directory: this.#wanted(), username: name, directory_id: this.#edited?.id ?? null }
      const { works, message, detail, found } = await api.post(`${PATH}/try`, asked)
      this.#tried.textContent = works ? t(found ? "js.admin.directory_found" : "js.admin.directory_nobody", { name }) : [message, detail].filter(Boolean).join(" ")
      if (found) this.#show(found)
    } catch (error) {
      this.#tried.textContent = sentence(error)
    } finally {
      button.removeAttribute("aria-busy")
    }
  }

  /** @param {{dn: string, login: string, email: string, groups: string[]}} found */
  #show({ dn, login, email, groups }) {
    const nothing = t("js.admin.directory_nothing")
    fill(this.#found, { dn, login: login || nothing, email: email || nothing, groups: groups.join("; ") || nothing })
    this.#found.hidden = false
  }

  #showTable() {
    this.#rows.offer(["groups_attribute", "groups_base"].some((name) => this.#field(name).value.trim()))
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name))
  }
}

/** @param {string} typed */
function listed(typed) {
  return typed.split(/[\s,，、;；]+/).filter(Boolean)
}
