// @ts-check
/** The one menu of a list's rows: opens beside a row's [data-menu-button], tells which row and which act was chosen. */
import { enterMenu, must, placeBeside, useMenuKeys } from "app/ui.js"

/** Emits "open" {id} just before it is shown, and "act" {id, act} on a choice. */
export class RowMenu extends EventTarget {
  #menu = must(document, "[data-row-menu]")
  /** @type {HTMLElement | null} */
  #button = null
  #place = ""

  /** @param {HTMLElement} list whose rows carry data-id and a [data-menu-button] */
  constructor(list) {
    super()
    list.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-menu-button]")
      if (button instanceof HTMLElement) this.#open(button)
    })
    this.#menu.addEventListener("click", (event) => this.#choose(/** @type {Element} */ (event.target)))
    useMenuKeys(this.#menu, { button: () => this.#button, close: () => this.#menu.hidePopover() })
    this.#menu.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "closed") this.#button?.setAttribute("aria-expanded", "false")
    })
    addEventListener("scroll", () => this.#leave(), { capture: true, passive: true })
  }

  /** @param {string} act @returns {HTMLElement} */
  item(act) {
    return must(this.#menu, `[data-act="${act}"]`)
  }

  get #id() {
    const row = this.#button?.closest("[data-id]")
    return row instanceof HTMLElement ? (row.dataset.id ?? "") : ""
  }

  /** @param {HTMLElement} button */
  #open(button) {
    this.#button = button
    this.dispatchEvent(new CustomEvent("open", { detail: { id: this.#id } }))
    this.#menu.showPopover()
    this.#place = placeOf(button)
    button.setAttribute("aria-expanded", "true")
    placeBeside(this.#menu, button, { end: true })
    enterMenu(this.#menu)
  }

  /** Closes it once its button has moved. What was scrolled just before it opened is told only now. */
  #leave() {
    if (this.#button && placeOf(this.#button) !== this.#place) this.#menu.hidePopover()
  }

  /** @param {Element} target */
  #choose(target) {
    const item = target.closest("[data-act]")
    if (!(item instanceof HTMLElement)) return
    this.#menu.hidePopover()
    this.#button?.focus()
    this.dispatchEvent(new CustomEvent("act", { detail: { id: this.#id, act: item.dataset.act } }))
  }
}

/** @param {Element} element @returns {string} where in the window it is */
function placeOf(element) {
  const { x, y } = element.getBoundingClientRect()
  return `${x},${y}`
}
