// @ts-check
/** A picture of a message, as large as the window allows. Loaded with the first that is opened. */
import { must, openDialog, slot } from "app/ui.js"

/** @param {{address: string, name: string, width: number | null, height: number | null}} picture */
export function showLarge({ address, name, width, height }) {
  const dialog = openDialog("picture-dialog")
  const image = /** @type {HTMLImageElement} */ (must(dialog, "[data-large]"))
  for (const [side, length] of Object.entries({ width, height })) if (length) image.setAttribute(side, String(length))
  image.src = address
  image.alt = name
  slot(dialog, "name").textContent = name
  const link = /** @type {HTMLAnchorElement} */ (must(dialog, "[data-keep]"))
  link.href = address
  link.download = name
  dialog.addEventListener("close", () => image.removeAttribute("src"), { once: true })
}
