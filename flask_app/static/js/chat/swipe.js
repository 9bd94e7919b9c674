// @ts-check
/**
 * A finger that moves in from the left edge of a small screen opens the list of conversations, one that moves back closes it. Loaded
 * with the first touch there. Up and down stays the browser's (`css/pages/swipe.css`), and so does what scrolls sideways
 * itself: there it takes the finger away from the page.
 */
import { must } from "app/ui.js"

const EDGE = 32 // pixels from the left in which it begins
const SLOP = 16 // pixels after which a movement has its direction, and is no tap any more
const PART = 1 / 3 // of the list's width, after which it goes on by itself
const FAST = 0.5 // pixels a millisecond; so it goes on after less

/** @typedef {{id: number, x: number, y: number, at: number, isOpen: boolean, isSure: boolean}} Touch */

export class Swipe {
  #root
  #list
  #small = matchMedia("(max-width: 52rem)")
  #calm = matchMedia("(prefers-reduced-motion: reduce)")
  /** @type {Touch | null} */
  #touch = null

  /** @param {HTMLElement} root of the chat @param {HTMLElement} list */
  constructor(root, list) {
    this.#root = root
    this.#list = list
    addEventListener("pointerdown", (event) => this.begin(event), { passive: true })
    addEventListener("pointermove", (event) => this.#move(event), { passive: true })
    addEventListener("pointerup", (event) => this.#end(event))
    addEventListener("pointercancel", () => this.#leave())
    visualViewport?.addEventListener("resize", () => this.#noteSize())
    this.#noteSize()
  }

  #noteSize() {
    this.#root.classList.toggle("chat--enlarged", isEnlarged())
  }

  /** @param {PointerEvent} event */
  begin({ target, pointerId: id, pointerType, isPrimary, clientX: x, clientY: y, timeStamp: at }) {
    this.#leave()
    const isOpen = this.#list.classList.contains("sidebar--open")
    const isOther = pointerType !== "touch" || !isPrimary || !this.#small.matches || isEnlarged()
    const isField = target instanceof Element && target.closest("input, textarea") // there the caret goes with the finger
    const isTaken = isField || document.querySelector("dialog[open], [popover]:popover-open:not([data-toasts])")
    if (!isOther && !isTaken && (isOpen || x <= EDGE)) this.#touch = { id, x, y, at, isOpen, isSure: false }
  }

  /** @param {PointerEvent} event */
  #move({ pointerId, clientX, clientY }) {
    const touch = this.#touch
    if (touch?.id !== pointerId) return
    const [by, down] = [clientX - touch.x, clientY - touch.y]
    if (!touch.isSure && Math.hypot(by, down) < SLOP) return
    touch.isSure ||= leads(by, down, touch.isOpen)
    if (!touch.isSure) return this.#leave()
    if (!this.#calm.matches) this.#follow(touch, by)
  }

  /** The list goes with the finger, no farther than it reaches. @param {Touch} touch @param {number} by */
  #follow({ isOpen }, by) {
    const width = this.#list.offsetWidth
    const left = Math.min(0, Math.max(-width, (isOpen ? 0 : -width) + by))
    this.#list.style.setProperty("--swiped", `${Math.round(left)}px`)
    this.#list.classList.add("sidebar--swiped")
  }

  /** @param {PointerEvent} event */
  #end({ pointerId, clientX, timeStamp }) {
    const touch = this.#touch
    if (touch?.id !== pointerId) return
    const by = (clientX - touch.x) * (touch.isOpen ? -1 : 1)
    this.#leave()
    if (touch.isSure && isEnough(by, this.#list.offsetWidth, timeStamp - touch.at)) {
      must(this.#root, touch.isOpen ? "[data-scrim]" : "[data-drawer-open]").click()
    }
  }

  #leave() {
    this.#touch = null
    this.#list.classList.remove("sidebar--swiped")
  }
}

/** Sideways, and the way that the list can go? @param {number} by @param {number} down @param {boolean} isOpen */
export function leads(by, down, isOpen) {
  return Math.abs(by) > Math.abs(down) && by > 0 !== isOpen
}

/** Does it go on by itself? @param {number} by pixels that way @param {number} width of the list @param {number} took milliseconds */
export function isEnough(by, width, took) {
  return by > width * PART || (by > SLOP && by / took > FAST)
}

/** With two fingers: then one moves what is seen of the page. */
function isEnlarged() {
  return (visualViewport?.scale ?? 1) > 1.01
}
