// @ts-check
/** The composer's switch, where it has one: a new conversation begins with it off, others with it as their tab has left it. */
export class SearchSwitch {
  #box
  #notes
  /** @type {string | null} */
  #place = null
  #early // turned before the scripts had come

  /** @param {HTMLElement} form @param {{read: (place: string) => string, keep: (place: string, text: string) => void}} notes */
  constructor(form, notes) {
    this.#box = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-search-web]"))
    this.#notes = notes
    this.#early = this.isOn
    this.#box?.addEventListener("change", () => this.#keep())
  }

  /** Is the web searched before a question is answered? */
  get isOn() {
    return this.#box?.checked === true
  }

  /** @param {string | null} conversation */
  moveTo(conversation) {
    this.#place = conversation
    if (this.#box) this.#box.checked = this.#early || (conversation !== null && this.#notes.read(conversation) !== "")
    this.#early = false
    this.#keep()
  }

  /** What was begun there is a conversation now. @param {string | null} _from @param {string} to */
  move(_from, to) {
    this.#place = to
    this.#keep()
  }

  #keep() {
    if (this.#place !== null) this.#notes.keep(this.#place, this.isOn ? "on" : "")
  }
}
