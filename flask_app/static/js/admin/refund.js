// @ts-check
/** Giving a record back: asks for the reason, and draws the record anew. */
import { api } from "app/api.js"
import { formatDateTime, formatMoney, formatNumber, t } from "app/i18n.js"
import { fill, must, onSubmit, openDialog, toast } from "app/ui.js"

/** @typedef {import("app/usage/records.js").Entry} Entry */

const form = /** @type {HTMLFormElement} */ (must(document, "[data-refund-form]"))
/** @type {Entry | undefined} */
let entry

/** @param {HTMLElement} list @param {import("app/usage/records.js").RecordList} records */
export function offerRefunds(list, records) {
  list.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target)
    if (target.closest("[data-refund]")) ask(records.entryOf(target))
  })
  onSubmit(form, async ({ reason }) => {
    if (!entry) return
    records.update(await api.post(`/api/admin/records/${entry.id}/refund`, { reason }))
    form.closest("dialog")?.close()
    toast(t("js.records.refunded", whatOf(entry)))
  })
}

/** @param {Entry | undefined} wanted */
function ask(wanted) {
  entry = wanted
  if (!entry) return
  form.reset()
  fill(form, { text: t("js.records.refund_text", { ...whatOf(entry), time: formatDateTime(entry.created_at) }) })
  openDialog("refund-dialog")
}

/** @param {Entry} entry */
function whatOf({ user, total_tokens: tokens, cost_micros: micros, currency }) {
  const name = user?.username ?? ""
  const cost = micros === null || currency === null ? "" : formatMoney(micros, currency)
  if (cost && tokens === 0) return { name, what: cost } // as of a search
  return { name, what: t(cost ? "js.records.refund_both" : "js.records.tokens", { count: formatNumber(tokens), cost }) }
}
