// @ts-check
/** A button beside what is marked in an answer: it puts that into the composer as a quotation. */
import { loaded } from "app/api.js"
import { must, tell } from "app/ui.js"
import { inParagraphs } from "app/chat/writing.js"

const PAUSE = 150 // milliseconds after which a selection is taken for made
const FINGER = 28 // pixels that a finger's handles need below what is marked
const GAP = 6

export class QuoteButton {
  #button
  #messages
  #composer
  #area
  #timer = 0

  /** @param {HTMLElement} root of the chat @param {import("app/chat/composer.js").Composer} composer */
  constructor(root, composer) {
    this.#button = must(root, "[data-quote]")
    this.#messages = must(root, "[data-messages]")
    this.#composer = composer
    this.#area = /** @type {HTMLTextAreaElement} */ (must(root, "[data-composer-text]"))
    document.addEventListener("selectionchange", () => this.#lookSoon())
    addEventListener("scroll", () => this.#button.hidden || this.#look(), { capture: true, passive: true })
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault()) // what is marked stays so
    this.#button.addEventListener("click", () => this.#quote().catch(tell))
  }

  #lookSoon() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), PAUSE)
  }

  #look() {
    const range = this.#marked()
    const end = range && [...range.getClientRects()].at(-1)
    const room = must(document, "[data-thread]").getBoundingClientRect()
    this.#button.hidden = !end || end.bottom < room.top || end.top > room.bottom
    if (!end || this.#button.hidden) return
    const gap = matchMedia("(pointer: coarse)").matches ? FINGER : GAP
    const { offsetWidth: width, offsetHeight: height } = this.#button
    this.#button.style.left = `${Math.max(room.left + GAP, Math.min(end.right - width / 2, room.right - width - GAP))}px`
    this.#button.style.top = `${Math.min(end.bottom + gap, room.bottom - height - GAP)}px`
  }

  /** What is marked within one answer's text; where it goes on below, up to that text's end. @returns {Range | null} */
  #marked() {
    const selection = getSelection()
    if (!selection?.rangeCount || selection.isCollapsed || !String(selection).trim()) return null
    const range = selection.getRangeAt(0).cloneRange()
    const text = elementAt(range.startContainer)?.closest('.message--answer [data-slot="text"]')
    if (!text || !this.#messages.contains(text)) return null
    if (!text.contains(range.endContainer)) range.setEnd(text, text.childNodes.length)
    widenToFormula(range)
    return range.collapsed ? null : range
  }

  async #quote() {
    const range = this.#marked()
    if (!range) return
    const { asQuote, plainText } = await loaded(import("app/chat/plain-text.js"))
    const isCode = elementAt(range.commonAncestorContainer)?.closest("pre")
    const text = isCode ? String(range) : plainText(range.cloneContents())
    getSelection()?.removeAllRanges()
    this.#button.hidden = true
    if (text.trim()) this.#putLast(asQuote(text))
  }

  /** After what is written, to be gone on with. @param {string} text */
  #putLast(text) {
    this.#composer.write(inParagraphs(this.#area.value.trimEnd(), text))
    this.#composer.focus()
    this.#area.setSelectionRange(this.#area.value.length, this.#area.value.length)
    this.#area.scrollTop = this.#area.scrollHeight
  }
}

/** What is marked within a formula means the whole of it. @param {Range} range */
export function widenToFormula(range) {
  const formula = elementAt(range.commonAncestorContainer)?.closest(".formula")
  if (formula) range.selectNode(formula)
}

/** @param {Node} node @returns {Element | null} */
function elementAt(node) {
  return node instanceof Element ? node : node.parentElement
}
