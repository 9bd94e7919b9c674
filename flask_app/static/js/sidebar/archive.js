// @ts-check
/** The archive in the place of the list of conversations. Loaded when it is opened. */
import { List } from "app/sidebar/sidebar.js"
import { must, tell } from "app/ui.js"

/** @typedef {import("app/sidebar/sidebar.js").Sidebar} Sidebar */
/** @typedef {import("app/sidebar/sidebar.js").Summary} Summary */

export class Archive {
  #list
  #place
  #recent
  #opener
  #field

  /** @param {Sidebar} sidebar @param {HTMLElement} root the side list */
  constructor(sidebar, root) {
    this.#place = must(root, "[data-archive]")
    this.#recent = must(root, "[data-recent]")
    this.#opener = must(root, "[data-archive-open]")
    this.#field = /** @type {HTMLInputElement} */ (must(root, "[data-search-field]"))
    this.#list = new List(sidebar, this.#place, { path: "/api/conversations/archived", isOwn: ({ archived }) => archived, next: null })
    sidebar.add(this)
    this.#opener.addEventListener("click", () => this.toggle().catch(tell))
    must(root, "[data-archive-close]").addEventListener("click", () => this.#show(false))
    this.#place.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return
      event.stopPropagation()
      this.#show(false)
    })
  }

  /** Opens it, or goes back to the list. Throws ApiError. */
  async toggle() {
    const isSeen = this.#place.getClientRects().length > 0
    this.#show(!isSeen)
    if (isSeen) return
    must(this.#place, "[data-archive-close]").focus()
    await this.renew()
  }

  /** @param {Map<string, Summary>} known @param {string | null} current */
  draw(known, current) {
    this.#list.draw(known, current)
  }

  /** Throws ApiError. */
  async renew() {
    if (this.#place.hidden) return
    this.#place.setAttribute("aria-busy", "true")
    await this.#list.renew().finally(() => this.#place.removeAttribute("aria-busy"))
  }

  /** What was searched for makes room for it too. @param {boolean} on */
  #show(on) {
    if (on && this.#field.value) {
      this.#field.value = ""
      this.#field.dispatchEvent(new Event("input"))
    }
    this.#place.hidden = !on
    this.#recent.hidden = on
    if (!on) this.#opener.focus()
  }
}
