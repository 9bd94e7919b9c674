// @ts-check
/** Entry of the ledger's records: the filters stand in the address, so that a search can be shared and gone back to. */
import { api } from "app/api"
import { sentence } from "app/i18n"
import { RecordList } from "app/records"
import { must, pageState, toast } from "app/ui"

/** @type {import("app/records").Page} */
const page = pageState("admin-state")
const wanted = new URLSearchParams(location.search)
const form = /** @type {HTMLFormElement} */ (must(document, "[data-filters]"))
const user = field("user")
const first = field("from")
const last = field("to")
/** The name of the person whom the address gives by id. */
const name = page.records.find((record) => record.user?.id === wanted.get("user"))?.user?.username

new RecordList(must(document, "[data-records]"), `/api/admin/records${location.search}`).append(page)
for (const input of [user, field("outcome"), first, last]) input.value = wanted.get(input.name) ?? ""
if (name) user.value = name
for (const by of ["model", "key"]) offer(by)
for (const input of [first, last]) input.addEventListener("change", keepOrder)
keepOrder()

form.addEventListener("formdata", ({ formData }) => {
  if (name && user.value === name) formData.set("user", wanted.get("user") ?? "")
  for (const [key, value] of [...formData]) if (!value) formData.delete(key)
})

/** @param {string} key */
function field(key) {
  return /** @type {HTMLInputElement} */ (must(form, `[name="${key}"]`))
}

/** The models or keys that the ledger knows, deleted ones too. @param {string} by */
async function offer(by) {
  const select = must(form, `[name="${by}"]`)
  const chosen = wanted.get(by)
  try {
    const { rows } = await api.get(`/api/admin/usage?by=${by}`)
    /** @type {Map<string, string>} */
    const labels = new Map(rows.map((/** @type {{key: string, label: string}} */ row) => [row.key, row.label]))
    if (chosen && !labels.has(chosen)) labels.set(chosen, chosen)
    labels.delete("")
    select.append(...[...labels].map(([key, label]) => new Option(label, key, key === chosen, key === chosen)))
  } catch (error) {
    toast(sentence(error), { kind: "danger" })
  }
}

/** The first day cannot lie after the last. */
function keepOrder() {
  first.max = last.value
  last.min = first.value
}
