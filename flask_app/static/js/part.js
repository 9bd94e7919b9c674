// @ts-check
/**
 * A part of a page that asks for what it shows. It is busy meanwhile; where nothing came it says what went wrong, in the place
 * of what it would have shown, and asks again on a press.
 */
import { explain, fromTemplate, must } from "app/ui.js"

export class Part {
  #root
  #body
  /** @type {HTMLElement | null} */
  #failure = null
  /** Only the newest question's answer counts. */
  #asked = 0

  /** @param {HTMLElement} root what it shows is its `data-part` */
  constructor(root) {
    this.#root = root
    this.#body = must(root, "[data-part]")
  }

  /** @template Found @param {() => Promise<Found>} ask @param {(found: Found) => void} show */
  async load(ask, show) {
    const asked = ++this.#asked
    this.#root.setAttribute("aria-busy", "true")
    const [found, error] = await ask().then(
      (found) => [found, null],
      (error) => [null, error],
    )
    if (asked !== this.#asked) return
    this.#root.removeAttribute("aria-busy")
    if (error) this.#fail(error, () => this.load(ask, show))
    else this.#show(() => show(found))
  }

  /** The focus moves on from a button that goes. @param {() => void} draw */
  #show(draw) {
    const wasAsked = this.#failure?.contains(document.activeElement)
    this.#failure?.remove()
    this.#failure = null
    this.#body.hidden = false
    draw()
    if (!wasAsked) return
    this.#body.tabIndex = -1
    this.#body.focus({ preventScroll: true })
  }

  /** @param {unknown} error @param {() => void} again */
  #fail(error, again) {
    const wasAsked = this.#failure?.contains(document.activeElement)
    const failure = fromTemplate("failure-template")
    explain(must(failure, "[data-failure-words]"), error)
    const button = must(failure, "button")
    button.addEventListener("click", again)
    this.#failure?.remove()
    this.#failure = failure
    this.#body.hidden = true
    this.#body.after(failure)
    if (wasAsked) button.focus({ preventScroll: true })
  }
}
