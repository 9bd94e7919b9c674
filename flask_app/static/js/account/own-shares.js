// @ts-check
/** The card of one's own links to conversations, on the account page. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { ShareList } from "app/share-list.js"
import { confirmDialog, must, tell, toast } from "app/ui.js"

/** @param {import("app/share-list.js").Share[]} shares */
export function ownShares(shares) {
  const card = document.querySelector("[data-own-shares]")
  if (!(card instanceof HTMLElement)) return
  const list = new ShareList(must(card, "[data-shares]"))
  const button = must(card, "[data-end-shares]")
  list.addEventListener("changed", () => {
    button.hidden = list.count < 2
    must(card, "[data-shares-none]").hidden = list.count > 0
  })
  list.show(shares)
  button.addEventListener("click", async () => {
    const words = { title: t("js.shares.end_all_title"), text: t("js.shares.end_text"), action: t("js.shares.end_all_action") }
    if (!(await confirmDialog(words))) return
    try {
      await api.delete("/api/shares")
      list.show([])
      toast(t("js.shares.all_ended"))
    } catch (error) {
      tell(error)
    }
  })
}
