// @ts-check
/**
 * The messages on the page. The view follows what grows until the reader moves up or opens something. Emits what is done with a
 * message, {message, button}: "retry", "continue", "anew", "regenerate", "read", "more", "about"; "step" with {by}, "resend" with {text}.
 */
import { loaded } from "app/api.js"
import { Question } from "app/chat/question.js"
import { showCopied } from "app/markdown/enrich.js"
import { turnWrapping } from "app/markdown/wrapping.js"
import { copyText } from "app/shell.js"
import { must, tell, toast } from "app/ui.js"
import { t } from "app/i18n.js"

const NEAR = 64 // pixels from the bottom within which moving down takes hold again
const STILL = 300 // milliseconds without a move
const PANELS = "[data-answer-menu], [data-answer-details]" // what stands beside a message
const ACTS = ["retry", "continue", "anew", "regenerate", "read", "more", "about"]
/** @type {Record<string, number>} */
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 }

/** @typedef {Question | import("app/chat/answer.js").Answer} Shown */

export class Thread extends EventTarget {
  #scroller
  #messages
  #latest
  #panels = [...document.querySelectorAll(PANELS)]
  #following = true
  /** Do messages follow that are not on the page yet? */
  #goesOn = false
  #top = 0
  #movedAt = 0
  /** @type {WeakMap<Element, Shown>} */
  #shown = new WeakMap()

  /** @param {HTMLElement} root of the chat */
  constructor(root) {
    super()
    this.#scroller = must(root, "[data-thread]")
    this.#messages = must(root, "[data-messages]")
    this.#latest = must(root, "[data-latest]")
    this.#scroller.addEventListener("scroll", () => this.#look(), { passive: true })
    this.#latest.addEventListener("click", () => this.toLatest({ smoothly: true }))
    this.#messages.addEventListener("click", (event) => this.#pressed(/** @type {Element} */ (event.target)))
    this.#messages.addEventListener("toggle", ({ target }) => target instanceof HTMLDetailsElement && target.open && this.#opens(target), true)
    this.#messages.addEventListener("sought", () => (this.#following = false)) // somebody goes to something in it
    this.#messages.addEventListener("keydown", (event) => this.#keyPressed(event))
    this.#messages.addEventListener("resend", (event) => {
      this.#emit("resend", /** @type {Element} */ (event.target), /** @type {CustomEvent} */ (event).detail)
    })
    document.addEventListener("toggle", () => this.#grown(), { capture: true })
    const sizes = new ResizeObserver(() => this.#grown())
    sizes.observe(this.#messages)
    sizes.observe(this.#scroller)
    sizes.observe(must(root, "[data-waiting]"))
  }

  /** Is a message being changed? */
  get isEdited() {
    return this.#messages.querySelector(".message--editing") !== null
  }

  /** Does the reader move through what is there, and is enough of it on both sides? */
  get isMoving() {
    const { scrollTop, clientHeight } = this.#scroller
    const isEnough = scrollTop > clientHeight * 3 && !(this.#goesOn && this.#distance() < clientHeight * 3)
    return performance.now() - this.#movedAt < STILL && isEnough
  }

  /** Is the reader nearer to the end of what is there than to its beginning? */
  get isLowerHalf() {
    return this.#scroller.scrollTop > this.#distance()
  }

  clear() {
    this.#messages.replaceChildren()
    this.#following = true
    this.#endsHere(true)
  }

  /** Only the last answer can be gone on with. @param {boolean} ends */
  #endsHere(ends) {
    this.#goesOn = !ends
    this.#messages.classList.toggle("thread__inner--goes-on", !ends)
  }

  /** These messages, in this order; those that are there already are not touched. @param {Shown[]} messages @param {{goesOn?: boolean}} [options] */
  show(messages, { goesOn = false } = {}) {
    this.#endsHere(!goesOn)
    const elements = messages.map(({ element }) => element)
    const there = [...this.#messages.children]
    const same = elements.findIndex((element, index) => element !== there[index])
    const from = same < 0 ? elements.length : same
    for (const element of there.slice(from)) element.remove()
    this.#messages.append(...elements.slice(from))
    for (const message of messages) this.#shown.set(message.element, message)
  }

  /** Messages before those that are there: what is read stays where it is. @param {Shown[]} messages */
  prepend(messages) {
    const { scrollHeight, scrollTop } = this.#scroller
    for (const message of messages) {
      message.element.classList.add("message--earlier")
      this.#shown.set(message.element, message)
    }
    this.#messages.prepend(...messages.map(({ element }) => element))
    this.#scroller.scrollTop = scrollTop + this.#scroller.scrollHeight - scrollHeight
    this.#top = this.#scroller.scrollTop // nobody has moved
  }

  /** Messages after those that are there. @param {Shown[]} messages @param {{goesOn: boolean}} options */
  append(messages, { goesOn }) {
    for (const message of messages) {
      message.element.classList.add("message--earlier")
      this.#shown.set(message.element, message)
    }
    this.#messages.append(...messages.map(({ element }) => element))
    this.#endsHere(!goesOn)
    this.#showWay()
  }

  /**
   * What was pressed stays where it is, with the focus, while the messages change around it.
   * @param {HTMLElement} pressed @param {() => HTMLElement} change gives what stands there afterwards
   */
  keepInPlace(pressed, change) {
    const { top } = pressed.getBoundingClientRect()
    this.#following = false
    const after = change()
    if (!after.offsetParent) return this.focusLast() // an answer that is being written has no foot yet
    this.#scroller.scrollTop += after.getBoundingClientRect().top - top
    after.focus({ preventScroll: true })
  }

  /** To the answer that is being waited for. */
  focusLast() {
    const last = this.#messages.lastElementChild
    if (last instanceof HTMLElement) last.focus({ preventScroll: true })
  }

  /** To words in a message, which are marked for a moment; to the end without one. @param {HTMLElement | undefined} element @param {string} words */
  goTo(element, words) {
    if (!element) return this.toLatest()
    this.#following = false
    element.tabIndex = -1
    element.scrollIntoView({ block: "start" })
    element.focus({ preventScroll: true })
    this.#showWay()
    loaded(import("app/chat/sought.js")).then(({ markSought }) => markSought(this.#scroller, element, words), tell)
  }

  /** @param {{smoothly?: boolean}} [options] */
  toLatest({ smoothly = false } = {}) {
    if (this.#goesOn) this.dispatchEvent(new Event("end"))
    this.#following = true
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: smoothly && !calm ? "smooth" : "instant" })
    this.#latest.hidden = true
  }

  /** Moving up lets go, however little; what is at the very end was moved there, by a text that has become shorter. */
  #look() {
    const { scrollTop } = this.#scroller
    const distance = this.#distance()
    if (scrollTop !== this.#top) this.#movedAt = performance.now()
    if (scrollTop > this.#top && distance < NEAR && !this.#goesOn) this.#following = true
    else if (scrollTop < this.#top && distance >= 1) this.#following = false
    this.#top = scrollTop
    this.#showWay()
  }

  /** What stands beside a message is not carried away: the end is followed again afterwards. */
  #grown() {
    if (this.#following && !this.#panels.some((panel) => panel.matches(":popover-open"))) this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#top = this.#scroller.scrollTop // nobody has moved
    this.#showWay()
  }

  /** What is opened is read from its beginning; only thoughts and calls that are still coming are followed. @param {Element} details */
  #opens(details) {
    if (!details.matches(".thinking--now, .calls--now, .calls--now .call__details")) this.#following = false
  }

  #showWay() {
    this.#latest.hidden = this.#following || (this.#distance() < NEAR * 2 && !this.#goesOn)
  }

  #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    return scrollHeight - scrollTop - clientHeight
  }

  /** @param {Element} pressed */
  async #pressed(pressed) {
    const details = pressed.closest("summary")?.parentElement
    if (details instanceof HTMLDetailsElement && !details.open) this.#opens(details) // before it has grown
    const button = pressed.closest("button")
    const message = this.#messageOf(pressed)
    if (!button || !message) return
    const { step } = button.dataset
    for (const act of ACTS) if (act in button.dataset) this.#emit(act, button, { button })
    if (step) this.#emit("step", button, { button, by: Number(step) })
    if ("edit" in button.dataset && message instanceof Question) message.edit()
    if ("copyMessage" in button.dataset) toast(t((await copyText("copied" in message ? message.copied : message.text)) ? "js.copied" : "js.copy_failed"))
    if ("wrapCode" in button.dataset) this.#wrapCode(button)
    if ("show" in button.dataset) this.#toggleFrame(button)
    if ("copyCode" in button.dataset) showCopied(button, await copyText(codeBeside(button)))
  }

  /** The block that was pressed stays where it is, unless the end is followed. @param {HTMLElement} button */
  #wrapCode(button) {
    const { top } = button.getBoundingClientRect()
    turnWrapping()
    if (!this.#following) this.#scroller.scrollTop += button.getBoundingClientRect().top - top
    this.#top = this.#scroller.scrollTop
  }

  /** What is shown is read from its beginning. @param {HTMLElement} button */
  #toggleFrame(button) {
    this.#following = false
    loaded(import("app/markdown/frames.js")).then(({ toggle }) => toggle(button), tell)
  }

  /** @param {KeyboardEvent} press */
  #keyPressed(press) {
    const button = /** @type {HTMLElement} */ (press.target)
    const by = ARROWS[press.key]
    if (!by || !button.closest("[data-versions]") || press.altKey || press.ctrlKey || press.metaKey) return
    press.preventDefault()
    this.#emit("step", button, { button, by })
  }

  /** @param {Element} inside */
  #messageOf(inside) {
    const element = inside.closest("[data-message]")
    return element ? this.#shown.get(element) : undefined
  }

  /** @param {string} act @param {Element} inside @param {object} detail */
  #emit(act, inside, detail) {
    const message = this.#messageOf(inside)
    if (message) this.dispatchEvent(new CustomEvent(act, { detail: { ...detail, message } }))
  }
}

/** @param {Element} button */
function codeBeside(button) {
  return button.closest("figure")?.querySelector("code")?.textContent ?? ""
}
