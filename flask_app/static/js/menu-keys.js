// @ts-check
/** One keyboard for every menu: arrows, Home and End; Escape closes and gives the focus back; Tab closes and goes on. */

const ITEMS = ":is(a[href], button):not([hidden])"
/** @type {Record<string, (now: number, count: number) => number>} */
const MOVES = {
  ArrowDown: (now, count) => (now + 1) % count,
  ArrowUp: (now, count) => (now <= 0 ? count : now) - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
}

/** @typedef {{button: () => HTMLElement | null, close: () => void}} Menu `button` is what has opened it */

/** @param {HTMLElement} panel @param {Menu} menu */
export function useMenuKeys(panel, { button, close }) {
  panel.addEventListener("keydown", (event) => {
    const leaves = event.key === "Escape" || event.key === "Tab"
    if (leaves) {
      close()
      button()?.focus() // where Tab goes on from
    }
    const move = MOVES[event.key]
    if (move) stepIn(panel, move)
    if (!move && (!leaves || (event.key === "Tab" && !event.shiftKey))) return
    event.preventDefault()
    event.stopPropagation()
  })
}

/** @param {HTMLElement} panel */
export function enterMenu(panel) {
  stepIn(panel, () => 0)
}

/** @param {HTMLElement} panel @param {(now: number, count: number) => number} move */
function stepIn(panel, move) {
  const items = [.../** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll(ITEMS))]
  const now = items.indexOf(/** @type {HTMLElement} */ (document.activeElement))
  items[move(now, items.length)]?.focus({ preventScroll: true })
}
