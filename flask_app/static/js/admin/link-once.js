// @ts-check
/** A link whose token is shown this once: it stands after the #, where no server's log ever sees it. */
import { fill, must, openDialog, slot } from "app/ui"

/** @param {{title: string, text: string, once: string}} words @param {string} path @param {string} token */
export function showLinkOnce(words, path, token) {
  const dialog = must(document, "#link-dialog")
  fill(dialog, { ...words, address: `${location.origin}${path}#${token}` })
  dialog.addEventListener("close", () => slot(dialog, "address").replaceChildren(), { once: true })
  openDialog("link-dialog")
}
