// @ts-check
/** Codes that were just made: shown this once, to be copied or kept as a file. */
import { typedAmount } from "app/amounts"
import { t } from "app/i18n"
import { copyText, fill, must, openDialog, toast } from "app/ui"

/** @typedef {import("app/admin/codes").Batch} Batch */

/** @param {{batch: Batch, codes: string[]}} made */
export function showMade({ batch, codes }) {
  const dialog = must(document, "#made-dialog")
  fill(dialog, { title: t("js.admin.codes_made_title", { label: batch.label }) })
  const text = /** @type {HTMLTextAreaElement} */ (must(dialog, "[data-made]"))
  text.value = codes.join("\n")
  must(dialog, "[data-copy-codes]").onclick = async () => {
    if (await copyText(text.value)) toast(t("js.copied"))
    else text.select()
  }
  const link = /** @type {HTMLAnchorElement} */ (must(dialog, "[data-download-codes]"))
  link.href = URL.createObjectURL(new Blob([fileOf(batch, codes)], { type: "text/csv" }))
  dialog.addEventListener("close", () => forget(link, text), { once: true })
  openDialog("made-dialog")
}

/** No page keeps them. @param {HTMLAnchorElement} link @param {HTMLTextAreaElement} text */
function forget(link, text) {
  URL.revokeObjectURL(link.href)
  link.removeAttribute("href")
  text.value = ""
}

/** Nothing that a person typed is in it, so no cell is a formula. @param {Batch} batch @param {string[]} codes */
function fileOf({ unit, amount, expires_at: end }, codes) {
  const rest = [typedAmount(amount, unit), unit, end ?? ""].join(",")
  return ["code,amount,unit,expires_at", ...codes.map((code) => `${code},${rest}`), ""].join("\r\n")
}
