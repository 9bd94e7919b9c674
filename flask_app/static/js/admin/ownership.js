// @ts-check
/** Who owns the site: handing it over, sharing it, ending it. Each asks for one's own password again. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { fill, must, onSubmit, openDialog, toast } from "app/ui.js"

/** @typedef {import("app/admin/people.js").Person} Person */

export class Ownership {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-ownership]"))
  #ways = must(this.#form, "[data-ways]")
  /** @type {Person | null} */
  #person = null
  #isSelf
  #updated

  /** @param {{isSelf: (person: Person) => boolean, updated: (person: Person) => void}} list */
  constructor({ isSelf, updated }) {
    this.#isSelf = isSelf
    this.#updated = updated
    this.#form.closest("dialog")?.addEventListener("close", () => this.#form.reset())
    onSubmit(this.#form, ({ own_password: password = "", ownership_way: way }) => this.#send(password, way === "share"))
  }

  /** @param {Person} person */
  ask(person) {
    const { username: name, owner } = person
    this.#person = person
    this.#ways.hidden = owner
    const words = owner ? "end" : "give"
    fill(this.#form, { title: t(`js.admin.ownership_${words}_title`, { name }), text: t(`js.admin.ownership_${words}_text`, { name }) })
    openDialog("ownership-dialog")
  }

  /** Whoever gives it up is signed out. @param {string} password @param {boolean} keep */
  async #send(password, keep) {
    if (!this.#person) return
    const { id, owner } = this.#person
    const path = `/api/admin/users/${id}/ownership`
    const { user } = await (owner ? api.post(`${path}/end`, { password }) : api.post(path, { password, keep }))
    if (owner ? this.#isSelf(user) : !keep) {
      location.assign("/login")
      return
    }
    this.#form.closest("dialog")?.close()
    this.#updated(user)
    toast(t(owner ? "js.admin.ownership_ended" : "js.admin.ownership_shared", { name: user.username }))
  }
}
