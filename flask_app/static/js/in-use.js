// @ts-check
/** What the reader is at just now: presses, has marked, or is on with the keyboard. And what is kept where a part of the page is drawn anew. */

const LINGER = 100 // milliseconds after a press in which its click comes
const KEEPING = "pre, .table-scroll, a, button"

/** @type {EventTarget | null} */
let pressed = null
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

// The end of another button's press may be lost in the browser's own menu.
addEventListener("pointerdown", ({ target, button }) => button || press(target), { capture: true, passive: true })
// A finger that begins to scroll is no pointer any more, but it is there until it is lifted.
addEventListener("pointercancel", ({ pointerType }) => pointerType === "touch" || release(), { capture: true })
for (const name of ["pointerup", "touchend", "touchcancel"]) addEventListener(name, release, { capture: true, passive: true })

/** @param {EventTarget | null} target */
function press(target) {
  clearTimeout(timer)
  pressed = target
}

function release() {
  clearTimeout(timer)
  timer = setTimeout(() => (pressed = null), LINGER)
}

/** @param {ChildNode[]} nodes */
export function isInUse(nodes) {
  const selection = getSelection()
  const marked = selection?.isCollapsed ? [] : [selection?.anchorNode, selection?.focusNode]
  const focused = document.activeElement?.matches(":focus-visible") ? document.activeElement : null
  const used = [pressed, focused, ...marked]
  return used.some((each) => each instanceof Node && nodes.some((node) => node.contains(each)))
}

/**
 * How far these are scrolled sideways, and which of them has the focus: for those that take their places.
 * @param {ChildNode[]} nodes @returns {(nodes: ChildNode[]) => void}
 */
export function remember(nodes) {
  const before = keeping(nodes).map((element) => ({ left: element.scrollLeft, isFocused: element === document.activeElement }))
  return (after) => {
    for (const [index, element] of keeping(after).entries()) {
      const { left, isFocused } = before[index] ?? {}
      if (left) element.scrollLeft = left
      if (isFocused) element.focus({ preventScroll: true })
    }
  }
}

/** @param {ChildNode[]} nodes @returns {HTMLElement[]} */
function keeping(nodes) {
  const elements = nodes.filter((node) => node instanceof HTMLElement)
  return elements.flatMap((element) => [...(element.matches(KEEPING) ? [element] : []), .../** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll(KEEPING))])
}
