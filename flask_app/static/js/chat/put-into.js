// @ts-check
/** Words that are put into a text area, for the browser's own undo to know them where it can. */

const MOST_TYPED = 200 // lines: of thousands browsers make minutes
/** Puts words in the place of what is marked, as if they were typed: whether the browser's own undo knows them. @param {HTMLTextAreaElement} area @param {string} words */
export function putInto(area, words) {
  const [command, ...what] = words ? ["insertText", words] : ["delete"]
  const isTyped = area === document.activeElement && words.split("\n").length <= MOST_TYPED
  if (isTyped && document.execCommand(command ?? "", false, ...what)) return true
  area.setRangeText(words, area.selectionStart, area.selectionEnd, "end")
  area.dispatchEvent(new Event("input", { bubbles: true }))
  return false
}
