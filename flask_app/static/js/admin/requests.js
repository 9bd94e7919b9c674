// @ts-check
/** Entry of what everybody's programs asked, searched for by filters, and of how long that is kept. */
import { sendAsked } from "app/admin/retention-asked.js"
import { api } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { showRequests } from "app/programs/request-list.js"
import { fromTemplate, must, onSubmit, openDialog, pageState, toast } from "app/ui.js"

/** @typedef {{days: number, groups: Record<string, number>}} Kept */

const PATH = "/api/admin/requests"
const form = /** @type {HTMLFormElement} */ (must(document, "[data-keep-form]"))
/** @type {import("app/programs/request-list.js").State & {groups: {id: string, name: string}[], group_days: Record<string, number>}} */
const state = pageState("admin-state")
/** @type {Kept} */
let kept = { days: state.days, groups: state.group_days }

showRequests(state, { path: PATH, page: "/admin/requests", records: "/admin/records", filters: ["user"] })
must(document, "[data-keep]").addEventListener("click", ask)
askOfGroup(new URLSearchParams(location.hash.slice(1)).get("kept"))
onSubmit(form, async ({ days }) => {
  const wanted = { days: Number(days), groups: daysOfGroups() }
  const after = await sendAsked((agreed) => api.put(`${PATH}/retention`, { ...wanted, ...agreed }))
  if (!after) return
  kept = after
  form.closest("dialog")?.close()
  toast(t("js.requests.kept", { count: formatNumber(kept.days) }))
})

function ask() {
  const days = /** @type {HTMLInputElement} */ (form.elements.namedItem("days"))
  days.value = String(kept.days)
  must(form, "[data-group-days]").replaceChildren(...state.groups.map(({ id, name }) => groupRow(id, name)))
  openDialog("keep-dialog")
}

/** The one that a link on the groups' page names. @param {string | null} wanted */
function askOfGroup(wanted) {
  if (!state.groups.some(({ id }) => id === wanted)) return
  history.replaceState(null, "", location.pathname + location.search) // a reload asks no more
  ask()
  must(form, `[data-group="${wanted}"]`).focus()
}

/** @param {string} id @param {string} name */
function groupRow(id, name) {
  const row = fromTemplate("group-days-template", { name })
  const field = daysIn(row)
  field.dataset.group = id
  field.value = id in kept.groups ? String(kept.groups[id]) : ""
  return row
}

/** Those that are not as everybody's. @returns {Record<string, number>} */
function daysOfGroups() {
  const fields = [...must(form, "[data-group-days]").children].map((row) => daysIn(/** @type {HTMLElement} */ (row)))
  return Object.fromEntries(fields.filter(({ value }) => value).map(({ dataset, value }) => [dataset.group ?? "", Number(value)]))
}

/** @param {HTMLElement} row */
function daysIn(row) {
  return /** @type {HTMLInputElement} */ (must(row, "[data-days]"))
}
