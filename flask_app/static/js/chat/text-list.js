// @ts-check
/** A list above the text, of what can stand in the place of a word that is being written: by keys, a finger and a screen reader. */
import { announce, must } from "app/ui.js"
import { composes } from "app/chat/writing.js"

const GAP = 8 // pixels between the list, the text and the edge of the window
const TOLD = ["aria-haspopup", "aria-autocomplete", "aria-controls", "aria-activedescendant"]

/** @typedef {import("app/chat/writing.js").Begun} Begun */
/**
 * @template {{id: string}} T
 * @typedef {object} Parts
 * @property {(area: HTMLTextAreaElement) => Begun | null} begun the word that the list is for
 * @property {(words: string) => T[]} find what fits what is written of it
 * @property {(one: T) => HTMLElement} draw an option
 * @property {(one: T, begun: Begun) => void} choose
 * @property {(count: number) => string} say how many fit
 * @property {number} [most] how many of them are shown
 */

/** @template {{id: string}} T */
export class TextList {
  #area
  #list
  #parts
  /** @type {T[]} */
  #shown = []
  /** The word whose list was closed: it stays so. */
  #closed = -1
  #said = 0

  /** @param {HTMLElement} form @param {EventTarget} composer @param {HTMLElement} list @param {Parts<T>} parts */
  constructor(form, composer, list, parts) {
    this.#area = /** @type {HTMLTextAreaElement} */ (must(form, "[data-composer-text]"))
    this.#list = list
    this.#parts = parts
    form.addEventListener("keydown", (event) => this.#pressed(event), { capture: true }) // before the key sends
    this.#area.addEventListener("input", () => this.look())
    this.#area.addEventListener("blur", () => this.#hide())
    document.addEventListener("selectionchange", () => this.#isOpen && this.look())
    addEventListener("resize", () => this.#isOpen && this.#place())
    for (const left of ["send", "wait", "leaving"]) composer.addEventListener(left, () => this.#forget())
    list.addEventListener("pointerdown", (event) => event.preventDefault()) // the text keeps the focus
    list.addEventListener("click", (event) => this.#choose(/** @type {Element} */ (event.target).closest("li")))
    this.look()
  }

  get #isOpen() {
    return this.#list.matches(":popover-open")
  }

  get #active() {
    return this.#list.querySelector('[aria-selected="true"]')
  }

  /** Shows what fits what is written, the first one to be chosen. */
  look() {
    const begun = document.activeElement === this.#area ? this.#parts.begun(this.#area) : null
    if (begun?.from !== this.#closed) this.#closed = -1
    const found = begun && this.#closed < 0 ? this.#parts.find(begun.words) : []
    if (!found.length) return this.#hide()
    const shown = found.slice(0, this.#parts.most)
    if (!this.#isOpen || String(shown.map(idOf)) !== String(this.#shown.map(idOf))) this.#draw(shown)
    if (found.length !== this.#said) announce(this.#parts.say(found.length))
    this.#said = found.length
  }

  /** The list of the word that begins there stays closed. @param {number} from */
  keepClosed(from) {
    this.#closed = from
    this.#hide()
  }

  /** @param {T[]} found */
  #draw(found) {
    this.#shown = found
    this.#list.replaceChildren(...found.map((one, index) => this.#option(one, index)))
    this.#list.showPopover()
    this.#place()
    for (const [name, value] of [["aria-haspopup", "listbox"], ["aria-autocomplete", "list"], ["aria-controls", this.#list.id]]) {
      this.#area.setAttribute(name ?? "", value ?? "")
    }
    this.#activate(this.#list.firstElementChild)
  }

  /** @param {T} one @param {number} index */
  #option(one, index) {
    const option = this.#parts.draw(one)
    option.id = `${this.#list.id}-${index}`
    option.dataset.id = one.id
    return option
  }

  #hide() {
    if (!this.#isOpen) return
    this.#list.hidePopover()
    this.#said = 0
    for (const name of TOLD) this.#area.removeAttribute(name)
  }

  /** The text is another one. */
  #forget() {
    this.#closed = -1
    this.#hide()
  }

  /** Above the text, where no keyboard of glass covers it. */
  #place() {
    const { left, top } = must(document, ".composer__box").getBoundingClientRect()
    this.#list.style.left = `${left}px`
    this.#list.style.bottom = `${innerHeight - top + GAP}px`
    this.#list.style.setProperty("--room", `${top - 2 * GAP}px`)
  }

  /** @param {Element | null | undefined} item */
  #activate(item) {
    this.#active?.setAttribute("aria-selected", "false")
    item?.setAttribute("aria-selected", "true")
    item?.scrollIntoView({ block: "nearest" })
    this.#area.setAttribute("aria-activedescendant", item?.id ?? "")
  }

  /** Keys that an input method uses are its own. @param {KeyboardEvent} press */
  #pressed(press) {
    if (!this.#isOpen || press.target !== this.#area || composes(press) || press.shiftKey || press.altKey || press.ctrlKey || press.metaKey) return
    const begun = this.#parts.begun(this.#area)
    if (!begun) return this.#hide()
    const items = this.#list
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowDown: () => this.#activate(this.#active?.nextElementSibling ?? items.firstElementChild),
      ArrowUp: () => this.#activate(this.#active?.previousElementSibling ?? items.lastElementChild),
      Enter: () => this.#choose(this.#active),
      Tab: () => this.#choose(this.#active),
      Escape: () => this.keepClosed(begun.from),
    }
    if (!acts[press.key]) return
    press.preventDefault()
    press.stopPropagation()
    acts[press.key]?.()
  }

  /** @param {Element | null} item */
  #choose(item) {
    const begun = this.#parts.begun(this.#area)
    const one = this.#shown.find(({ id }) => id === item?.getAttribute("data-id"))
    if (!one || !begun) return
    this.#hide()
    this.#parts.choose(one, begun)
  }
}

/** @param {{id: string}} one */
const idOf = ({ id }) => id
