// @ts-check
/** The cards of what one takes along, conversations as files, with how far each is; and of the way out. */
import { api, loaded } from "app/api.js"
import { download } from "app/download.js"
import { t } from "app/i18n.js"
import { confirmDialog, must, tell } from "app/ui.js"

/** Has the links fetch what is chosen; without this module they fetch everything. */
export function offerExport() {
  const everything = must(document, "[data-everything]")
  follow(everything, (link) => download(everything, link, null, { isLong: true }))
  const root = document.querySelector("[data-downloads]")
  if (!(root instanceof HTMLElement)) return
  const which = /** @type {HTMLSelectElement} */ (must(root, "[data-which]"))
  follow(root, (link) => {
    const address = new URL(link.href)
    if (which.value) address.searchParams.set("folder", which.value)
    else address.searchParams.delete("folder")
    link.href = address.href
    return download(root, link, Number(which.selectedOptions[0]?.dataset.count), { isLong: true })
  })
}

/** One at a time. @param {HTMLElement} root @param {(link: HTMLAnchorElement) => Promise<void>} fetch */
function follow(root, fetch) {
  let isGoing = false
  for (const link of root.querySelectorAll("a")) {
    link.addEventListener("click", async (press) => {
      press.preventDefault()
      if (isGoing) return
      isGoing = true
      await fetch(link)
      isGoing = false
    })
  }
}

/** What reads files comes with the first one. */
export function offerImport() {
  const root = must(document, "[data-import]")
  let isThere = false
  must(root, "[data-import-file]").addEventListener("change", async () => {
    if (isThere) return
    try {
      const { ImportCard } = await loaded(import("app/imports/card.js"))
      isThere = true
      await new ImportCard(root).read()
    } catch (error) {
      tell(error)
    }
  })
}

/** @param {import("app/account/proof.js").Proof} proof @param {() => boolean} asksCode */
export function offerDeletion(proof, asksCode) {
  const button = must(document, "[data-delete-account]")
  const title = t("js.portability.delete_title", { name: button.dataset.deleteAccount ?? "" })
  const action = t("js.portability.delete_action")
  button.addEventListener("click", async () => {
    if (button.hasAttribute("data-asks-password")) return proof.ask({ title, action, asksCode: asksCode(), act: remove })
    if (await confirmDialog({ title, text: t("js.portability.delete_text"), action })) await remove({}).catch(tell)
  })
}

/** @param {import("app/account/proof.js").Proven} proven */
async function remove(proven) {
  await api.post("/api/me/delete", proven)
  location.assign("/login")
}
