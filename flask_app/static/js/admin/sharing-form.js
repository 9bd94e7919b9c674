// @ts-check
/** Who may open links to conversations, in the settings. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { must, onSubmit, toast } from "app/ui.js"

/** @param {string} mode as it is now */
export function offerSharing(mode) {
  const form = /** @type {HTMLFormElement} */ (must(document, "[data-sharing-form]"))
  const show = (/** @type {string} */ now) => (/** @type {RadioNodeList} */ (form.elements.namedItem("sharing")).value = now)
  show(mode)
  onSubmit(form, async ({ sharing = "" }) => {
    show((await api.put("/api/admin/settings/sharing", { mode: sharing })).mode)
    toast(t("js.admin.sharing_saved"))
  })
}
