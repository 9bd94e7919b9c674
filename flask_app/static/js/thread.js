// @ts-check
/** The messages on the page. The view follows what grows for as long as the reader is at the bottom. */
import { Answer } from "app/answer"
import { showCopied } from "app/markdown/enrich"
import { copyText, fromTemplate, must, toast } from "app/ui"
import { t } from "app/i18n"

const NEAR = 64 // pixels from the bottom that still count as being there

export class Thread extends EventTarget {
  #scroller
  #messages
  #latest
  #following = true
  #top = 0
  /** @type {WeakMap<Element, Answer>} */
  #answers = new WeakMap()

  /** @param {HTMLElement} root of the chat */
  constructor(root) {
    super()
    this.#scroller = must(root, "[data-thread]")
    this.#messages = must(root, "[data-messages]")
    this.#latest = must(root, "[data-latest]")
    this.#scroller.addEventListener("scroll", () => this.#look(), { passive: true })
    this.#latest.addEventListener("click", () => this.toLatest({ smoothly: true }))
    this.#messages.addEventListener("click", (event) => this.#pressed(/** @type {Element} */ (event.target)))
    const sizes = new ResizeObserver(() => this.#grown())
    sizes.observe(this.#messages)
    sizes.observe(this.#scroller)
  }

  clear() {
    this.#messages.replaceChildren()
    this.#following = true
  }

  /** @param {string} text */
  addQuestion(text) {
    const element = fromTemplate("question-template", { text })
    this.#messages.append(element)
    return element
  }

  addAnswer() {
    const answer = new Answer()
    this.#answers.set(answer.element, answer)
    this.#messages.append(answer.element)
    return answer
  }

  /** Only the newest answer can be gone on with. @param {Answer} newest */
  offerToGoOnOnlyWith(newest) {
    for (const button of this.#messages.querySelectorAll("[data-continue]")) {
      if (!newest.element.contains(button)) /** @type {HTMLElement} */ (button).hidden = true
    }
  }

  /** @param {{smoothly?: boolean}} [options] */
  toLatest({ smoothly = false } = {}) {
    this.#following = true
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: smoothly && !calm ? "smooth" : "instant" })
    this.#latest.hidden = true
  }

  /** Scrolling up lets go; the text growing faster than the view follows does not. */
  #look() {
    const { scrollTop } = this.#scroller
    if (this.#distance() < NEAR) this.#following = true
    else if (scrollTop < this.#top) this.#following = false
    this.#top = scrollTop
    this.#showWay()
  }

  #grown() {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#showWay()
  }

  #showWay() {
    this.#latest.hidden = this.#following || this.#distance() < NEAR * 2
  }

  #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    return scrollHeight - scrollTop - clientHeight
  }

  /** @param {Element} pressed */
  async #pressed(pressed) {
    const button = pressed.closest("button")
    const message = pressed.closest("[data-message]")
    const answer = message && this.#answers.get(message)
    if (!button || !answer) return
    if ("retry" in button.dataset) this.dispatchEvent(new CustomEvent("retry", { detail: answer }))
    if ("continue" in button.dataset) this.dispatchEvent(new CustomEvent("continue", { detail: answer }))
    if ("anew" in button.dataset) this.dispatchEvent(new CustomEvent("anew", { detail: answer }))
    if ("copyAnswer" in button.dataset) toast(t((await copyText(answer.plainText)) ? "js.copied" : "js.copy_failed"))
    if ("copyCode" in button.dataset) showCopied(button, await copyText(codeBeside(button)))
  }
}

/** @param {Element} button */
function codeBeside(button) {
  return button.closest("figure")?.querySelector("code")?.textContent ?? ""
}
