// @ts-check
/** A link whose token is shown this once: it stands after the #, where no server's log ever sees it. It may be a code as well. */
import { fill, must, openDialog } from "app/ui.js"

const HERE = /^(localhost|127\.[\d.]+|\[::1\])$/ // names by which a machine calls itself

/** @param {{title: string, text: string, once: string, typed?: string}} words `typed` of a token that can be typed @param {string} path @param {string} token */
export function showLinkOnce(words, path, token) {
  const dialog = must(document, "#link-dialog")
  fill(dialog, { typed: "", ...words, address: `${location.origin}${path}#${token}`, code: words.typed ? token : "" })
  must(dialog, "[data-link-code]").hidden = !words.typed
  must(dialog, "[data-link-here]").hidden = !HERE.test(location.hostname)
  dialog.addEventListener("close", () => fill(dialog, { address: "", code: "" }), { once: true })
  openDialog("link-dialog")
}
