// @ts-check
/** A batch of codes that was just made, as a table to be kept. */
import { typedAmount } from "app/amounts.js"
import { t } from "app/i18n.js"
import { showOnce } from "app/shown-once.js"
import { fill, must } from "app/ui.js"

/** @typedef {import("app/admin/codes.js").Batch} Batch */

/** @param {{batch: Batch, codes: string[]}} made */
export function showMade({ batch, codes }) {
  fill(must(document, "#made-dialog"), { title: t("js.admin.codes_made_title", { label: batch.label }) })
  showOnce("made-dialog", codes, new Blob([fileOf(batch, codes)], { type: "text/csv" }))
}

/** Nothing that a person typed is in it, so no cell is a formula. @param {Batch} batch @param {string[]} codes */
function fileOf({ unit, amount, expires_at: end }, codes) {
  const rest = [typedAmount(amount, unit), unit, end ?? ""].join(",")
  return ["code,amount,unit,expires_at", ...codes.map((code) => `${code},${rest}`), ""].join("\r\n")
}
