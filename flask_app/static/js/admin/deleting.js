// @ts-check
/** Deleting the account of somebody who has left: their name is typed, as nothing of it comes back. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { fill, must, onSubmit, openDialog, showFormError, toast } from "app/ui.js"

/** @typedef {import("app/admin/people.js").Person} Person */

export class Deleting {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-delete-user]"))
  #dialog = this.#form.closest("dialog")
  /** @type {Person | null} */
  #person = null
  #gone

  /** @param {(person: Person) => void} gone is told whose account has ended */
  constructor(gone) {
    this.#gone = gone
    this.#dialog?.addEventListener("close", () => {
      this.#form.reset()
      showFormError(this.#form, "")
    })
    onSubmit(this.#form, ({ deleted_name: typed = "" }) => this.#delete(typed))
  }

  /** @param {Person} person */
  ask(person) {
    const { username: name } = person
    this.#person = person
    fill(this.#form, { title: t("js.admin.delete_user_title", { name }), text: t("js.admin.delete_user_text", { name }) })
    openDialog("delete-user-dialog")
  }

  /** @param {string} typed */
  async #delete(typed) {
    const person = this.#person
    if (!person) return
    if (plain(typed) !== plain(person.username)) {
      showFormError(this.#form, t("js.admin.delete_user_other"))
      must(this.#form, "input").focus()
      return
    }
    await api.delete(`/api/admin/users/${person.id}`)
    this.#dialog?.close()
    this.#gone(person)
    toast(t("js.admin.user_deleted", { name: person.username }))
  }
}

/** @param {string} name */
const plain = (name) => name.trim().normalize("NFC")
