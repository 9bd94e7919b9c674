// @ts-check
/** What can be undone for a while: by its notice, or by Ctrl+Z, the newest first. */
import { offerUndo } from "app/ui.js"

/** @typedef {{leave: () => void, undo: () => void}} Offer */

/** @type {Set<Offer>} */
const waiting = new Set()

/** The fields in which was typed since the newest of them. @type {WeakSet<EventTarget>} */
let typedIn = new WeakSet()

document.addEventListener("input", (event) => {
  if (event instanceof InputEvent && event.target) typedIn.add(event.target) // what is chosen, or checked, is another event
})
document.addEventListener("rewritten", ({ target }) => target && typedIn.delete(target)) // by the page: nothing of it can be taken back
document.addEventListener("keydown", (press) => {
  const isUndo = (press.ctrlKey || press.metaKey) && !press.shiftKey && press.key.toLowerCase() === "z"
  const last = [...waiting].at(-1)
  if (!isUndo || !last || (press.target && typedIn.has(press.target))) return // a field undoes what was typed in it
  press.preventDefault()
  last.undo()
})

/**
 * Says what was done; `left` is done once that has gone and was not undone.
 * @param {string} text @param {{undo: () => void, left?: () => void}} acts @returns {Offer}
 */
export function undoable(text, { undo, left = () => undefined }) {
  const once = (/** @type {() => void} */ act) => () => {
    waiting.delete(offer)
    act()
  }
  const offer = offerUndo(text, { undo: once(undo), left: once(left) })
  waiting.add(offer)
  typedIn = new WeakSet()
  return offer
}
