// @ts-check
/** The bar above the composer while a call of the shown conversation waits: the call itself can be out of sight. Loaded with the first one. */
import { t } from "app/i18n.js"
import { must, slot } from "app/ui.js"

const ASKING = '.call[data-status="waiting"] > [data-slot="ask"]:not([hidden])'

const LONGEST = 32 // of a name: what it waits for is seen beside it on a phone, too

let isWatching = false

/** As the page stands now, and whenever other messages stand on it. */
export function showWaiting() {
  const [bar, messages] = [must(document, "[data-call-waits]"), must(document, "[data-messages]")]
  if (!isWatching) {
    isWatching = true
    new MutationObserver(showWaiting).observe(messages, { childList: true })
    must(bar, "button").addEventListener("click", goThere)
  }
  const row = rowIn(messages)
  if (row) slot(bar, "text").textContent = t("js.calls_waiting", { tool: briefly(slot(row, "title").textContent ?? "") })
  if (!row && bar.contains(document.activeElement)) must(document, "[data-thread]").focus({ preventScroll: true })
  bar.hidden = !row
}

/** To the first that waits, and to what allows it. */
function goThere() {
  const row = rowIn(document)
  if (!row) return
  for (const each of [must(row, "details"), row.closest("details")]) if (each instanceof HTMLDetailsElement) each.open = true
  row.dispatchEvent(new Event("sought", { bubbles: true }))
  row.scrollIntoView({ block: "center" })
  must(row, '[data-allow="once"]').focus({ preventScroll: true })
}

/** @param {ParentNode} place */
const rowIn = (place) => /** @type {HTMLElement | null} */ (place.querySelector(ASKING)?.parentElement ?? null)

/** As much of a name as there is room for; a Han character takes that of two letters. @param {string} name */
export function briefly(name) {
  let room = LONGEST
  const signs = [...name]
  const end = signs.findIndex((sign) => (room -= sign > "\u2e7f" ? 2 : 1) < 0)
  return end < 0 ? name : `${signs.slice(0, end).join("")}…`
}
