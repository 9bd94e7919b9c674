// @ts-check
/** Entry of what everybody's programs asked, searched for by filters, and of how long that is kept. */
import { api } from "app/api"
import { formatNumber, t } from "app/i18n"
import { showRequests } from "app/request-list"
import { must, onSubmit, openDialog, pageState, toast } from "app/ui"

const PATH = "/api/admin/requests"
const form = /** @type {HTMLFormElement} */ (must(document, "[data-keep-form]"))
/** @type {import("app/request-list").State} */
const state = pageState("admin-state")
let kept = state.days

showRequests(state, { path: PATH, page: "/admin/requests", records: "/admin/records", filters: ["user"] })
must(document, "[data-keep]").addEventListener("click", () => {
  const days = /** @type {HTMLInputElement} */ (form.elements.namedItem("days"))
  days.value = String(kept)
  openDialog("keep-dialog")
})
onSubmit(form, async ({ days }) => {
  kept = (await api.put(`${PATH}/retention`, { days: Number(days) })).days
  form.closest("dialog")?.close()
  toast(t("js.requests.kept", { count: formatNumber(kept) }))
})
