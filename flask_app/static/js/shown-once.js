// @ts-check
/** Codes that were just made: shown this once, to be copied or kept as a file. */
import { t } from "app/i18n.js"
import { copyText } from "app/shell.js"
import { must, openDialog, toast } from "app/ui.js"

/** @param {string} id of a dialog @param {string[]} codes @param {Blob} file what is downloaded */
export function showOnce(id, codes, file) {
  const dialog = must(document, `#${id}`)
  const text = /** @type {HTMLTextAreaElement} */ (must(dialog, "[data-made]"))
  text.value = codes.join("\n")
  must(dialog, "[data-copy-codes]").onclick = async () => {
    if (await copyText(text.value)) toast(t("js.copied"))
    else text.select()
  }
  const link = /** @type {HTMLAnchorElement} */ (must(dialog, "[data-download-codes]"))
  link.href = URL.createObjectURL(file)
  dialog.addEventListener("close", () => forget(link, text), { once: true })
  openDialog(id)
}

/** No page keeps them. @param {HTMLAnchorElement} link @param {HTMLTextAreaElement} text */
function forget(link, text) {
  URL.revokeObjectURL(link.href)
  link.removeAttribute("href")
  text.value = ""
}
