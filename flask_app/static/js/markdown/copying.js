// @ts-check
/**
 * What is copied where formulas are marked. Each stands on the page twice, for the eye and for screen readers: the clipboard gets its
 * TeX, once. Loaded with the first formula.
 */
import { plainText } from "app/chat/plain-text.js"
import { widenToFormula } from "app/chat/quote.js"
import { must } from "app/ui.js"

const PARTS = '[data-slot="text"], [data-slot="reasoning"]'
const messages = must(document, "[data-messages]")

messages.addEventListener("copy", (event) => {
  const range = markedRange()
  if (!range || !event.clipboardData) return
  const parts = [.../** @type {NodeListOf<HTMLElement>} */ (messages.querySelectorAll(PARTS))]
  const marked = parts.filter((part) => part.checkVisibility() && range.intersectsNode(part)).map((part) => within(part, range))
  if (!marked.some(({ copy }) => copy.querySelector(".formula"))) return
  event.preventDefault()
  event.clipboardData.setData("text/plain", marked.map(({ text }) => text).filter(Boolean).join("\n\n"))
  event.clipboardData.setData("text/html", marked.map(({ copy }) => markup(copy)).join("\n"))
})

function markedRange() {
  const selection = getSelection()
  if (!selection?.rangeCount || selection.isCollapsed) return null
  const range = selection.getRangeAt(0).cloneRange()
  widenToFormula(range)
  return range
}

/** @param {HTMLElement} part of a message @param {Range} range */
function within(part, range) {
  const own = range.cloneRange()
  if (!part.contains(own.startContainer)) own.setStart(part, 0)
  if (!part.contains(own.endContainer)) own.setEnd(part, part.childNodes.length)
  const copy = document.createElement("div")
  copy.append(own.cloneContents())
  const isTyped = part.closest(".message--question") !== null // lines and all
  return { copy, text: isTyped ? String(own) : plainText(copy) }
}

/** With the TeX in the place of formulas. @param {HTMLElement} copy */
function markup(copy) {
  for (const formula of copy.querySelectorAll(".formula")) {
    const place = document.createElement("span")
    formula.replaceWith(place)
    place.append(formula)
    place.replaceWith(plainText(place))
  }
  for (const button of copy.querySelectorAll("button")) button.remove()
  return copy.innerHTML
}
