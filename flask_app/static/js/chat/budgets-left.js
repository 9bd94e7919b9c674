// @ts-check
/** What is left of the budget that is nearest to its end, and today, below the composer. The page comes with it; it is looked at anew here. */
import { api } from "app/api.js"
import { lineOfLeft, tightestOf } from "app/i18n.js"
import { announce, must, slot } from "app/ui.js"

let looks = 0

/** Only the newest look counts. Says whether there are budgets. Throws ApiError. @param {HTMLElement} root of the chat @param {boolean} isAdmin */
export async function look(root, isAdmin) {
  const mine = ++looks
  const { budgets } = await api.get("/api/budgets")
  if (mine === looks) show(must(root, "[data-left]"), budgets, isAdmin)
  return budgets.length > 0
}

/** @param {HTMLElement} place @param {import("app/i18n.js").Budget[]} budgets @param {boolean} isAdmin */
function show(place, budgets, isAdmin) {
  const tightest = tightestOf(budgets)
  const { state: before } = place.dataset
  const words = lineOfLeft(budgets, { isAdmin })
  place.hidden = !tightest
  place.dataset.state = tightest?.state ?? ""
  slot(place, "text").textContent = words
  if (isAdmin) must(place, "[data-way]").hidden = tightest?.state !== "exhausted"
  if (before && before !== tightest?.state && tightest?.state !== "open") announce(words)
}
