// @ts-check
/** The lines in a dialog that come a page at a time: only those of what it was opened for last. */
import { onMore } from "app/more.js"
import { tell } from "app/ui.js"

/** @typedef {(next: string | null) => Promise<{lines: HTMLElement[], next: string | null}>} Ask `next`: where the page before ended */

export class PagedLines {
  #list
  #more
  /** @type {Ask} */
  #ask = async () => ({ lines: [], next: null })
  /** @type {string | null} */
  #next = null
  /** Only the newest question's answer counts. */
  #asked = 0

  /** @param {HTMLElement} list @param {HTMLElement} more */
  constructor(list, more) {
    this.#list = list
    this.#more = more
    onMore(more, async () => {
      const last = list.lastElementChild
      await this.#load()
      const first = last ? last.nextElementSibling : list.firstElementChild
      if (first instanceof HTMLElement) first.focus({ preventScroll: true })
    })
  }

  /** @param {Ask} ask throws ApiError */
  show(ask) {
    this.#ask = ask
    this.#next = null
    this.#list.replaceChildren()
    this.#more.hidden = true
    this.#load().catch(tell)
  }

  /** What could not be had can be asked for again. */
  async #load() {
    const asked = ++this.#asked
    try {
      const { lines, next } = await this.#ask(this.#next)
      if (asked !== this.#asked) return
      this.#list.append(...lines)
      this.#next = next
      this.#more.hidden = !next
    } catch (error) {
      if (asked !== this.#asked) return
      this.#more.hidden = false
      throw error
    }
  }
}
