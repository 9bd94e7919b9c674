// @ts-check
/** What a search has led to: its words are brought into view, and marked for a moment. */

const SECONDS = 3
const NAME = "sought"
const ABOVE = 1 / 3 // of the view, over the words

/** @param {HTMLElement} scroller @param {HTMLElement} message @param {string} words as the text has them */
export function markSought(scroller, message, words) {
  const range = words ? rangeOf(message, words) : null
  if (range) {
    const { top } = scroller.getBoundingClientRect()
    const below = range.getBoundingClientRect().top - top - scroller.clientHeight * ABOVE
    if (below > 0) scroller.scrollTop += below
    if (globalThis.CSS?.highlights) CSS.highlights.set(NAME, new Highlight(range))
  }
  message.classList.add("message--sought")
  setTimeout(() => {
    message.classList.remove("message--sought")
    if (range) globalThis.CSS?.highlights?.delete(NAME)
  }, SECONDS * 1000)
}

/** Where the words stand first. Those that Markdown has parted are not found. @param {HTMLElement} message @param {string} words */
function rangeOf(message, words) {
  const texts = document.createTreeWalker(message, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const at = node.textContent?.indexOf(words) ?? -1
    if (at < 0) continue
    const range = document.createRange()
    range.setStart(node, at)
    range.setEnd(node, at + words.length)
    if (range.getClientRects().length) return range
  }
  return null
}
