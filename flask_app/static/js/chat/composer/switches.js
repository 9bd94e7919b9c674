// @ts-check
/** What is switched on in the composer: a new conversation begins with all of it off, others with it as their tab has left it. */

/** @typedef {{read: (place: string) => string, keep: (place: string, text: string) => void}} Notes */

export class Switches {
  #boxes
  #notes
  #show
  /** @type {string | null} */
  #place = null
  /** Turned before the scripts had come. @type {string[]} */
  #early

  /** @param {HTMLElement} form @param {string} selector of its checkboxes, where it has some @param {Notes} notes @param {(on: string[]) => void} [show] is told what is on */
  constructor(form, selector, notes, show = () => undefined) {
    this.#boxes = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll(selector)])
    this.#notes = notes
    this.#show = show
    this.#early = this.on
    for (const box of this.#boxes) box.addEventListener("change", () => this.#keep())
  }

  /** The values of those that are on. */
  get on() {
    return this.#boxes.filter(({ checked }) => checked).map(({ value }) => value)
  }

  /** @param {string | null} conversation */
  moveTo(conversation) {
    this.#place = conversation
    const on = [...this.#early, ...(conversation === null ? [] : this.#notes.read(conversation).split(" "))]
    for (const box of this.#boxes) box.checked = on.includes(box.value)
    this.#early = []
    this.#keep()
  }

  /** What was begun there is a conversation now. @param {string | null} _from @param {string} to */
  move(_from, to) {
    this.#place = to
    this.#keep()
  }

  #keep() {
    if (this.#place !== null) this.#notes.keep(this.#place, this.on.join(" "))
    this.#show(this.on)
  }
}
