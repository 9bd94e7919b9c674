// @ts-check
/** Entry of the ledger's records: the filters stand in the address, so that a search can be shared and gone back to. */
import { offerRefunds } from "app/admin/refund"
import { RecordList } from "app/records"
import { must, pageState } from "app/ui"

/** @typedef {{groups: {id: string, name: string}[], models: string[], keys: {id: string, label: string}[], tokens: {id: string, label: string}[], expected: number | null}} Choices */

/** @type {import("app/records").Page & Choices} */
const page = pageState("admin-state")
const wanted = new URLSearchParams(location.search)
const form = /** @type {HTMLFormElement} */ (must(document, "[data-filters]"))
const user = field("user")
const first = field("from")
const last = field("to")
/** The name of the person whom the address gives by id. */
const name = page.records.find((record) => record.user?.id === wanted.get("user"))?.user?.username

const list = must(document, "[data-records]")
const records = new RecordList(list, `/api/admin/records${location.search}`)
records.append(page)
records.expect(page.expected)
offerRefunds(list, records)
offer(field("group"), page.groups.map(({ id, name }) => new Option(name, id)))
offer(field("model"), page.models.map((model) => new Option(model)))
offer(field("key"), page.keys.map(({ id, label }) => new Option(label, id)))
offer(field("token"), page.tokens.map(({ id, label }) => new Option(label, id)))
showWanted()
addEventListener("pageshow", showWanted) // a page gone back to keeps what was being typed when it was left
for (const input of [first, last]) input.addEventListener("change", keepOrder)

form.addEventListener("formdata", ({ formData }) => {
  if (name && user.value === name) formData.set("user", wanted.get("user") ?? "")
  for (const [key, value] of [...formData]) if (!value) formData.delete(key)
})

/** @param {string} key */
function field(key) {
  return /** @type {HTMLInputElement} */ (must(form, `[name="${key}"]`))
}

/** What the ledger knows, and what the address asks for even if it does not. @param {HTMLElement} select @param {HTMLOptionElement[]} options */
function offer(select, options) {
  const asked = wanted.get(/** @type {HTMLSelectElement} */ (select).name)
  if (asked && !options.some((option) => option.value === asked)) options.push(new Option(asked))
  select.append(...options)
}

function showWanted() {
  for (const key of ["user", "group", "model", "key", "outcome", "provenance", "channel", "token", "id", "from", "to"]) field(key).value = wanted.get(key) ?? ""
  if (name) user.value = name
  keepOrder()
}

/** The first day cannot lie after the last. */
function keepOrder() {
  first.max = last.value
  last.min = first.value
}
