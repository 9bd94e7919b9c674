// @ts-check
/** Entry of the ledger's records, searched for by filters. */
import { offerRefunds } from "app/admin/refund.js"
import { keepFilters, filterOf, offer, wanted } from "app/filters.js"
import { RecordList } from "app/usage/records.js"
import { must, pageState } from "app/ui.js"

/** @typedef {{groups: {id: string, name: string}[], models: string[], keys: {id: string, label: string}[], tokens: {id: string, label: string}[], expected: number | null}} Choices */

/** @type {import("app/usage/records.js").Page & Choices} */
const page = pageState("admin-state")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-filters]"))
/** The name of the person whom the address gives by id. */
const name = page.records.find((record) => record.user?.id === wanted.get("user"))?.user?.username

const list = must(document, "[data-records]")
const records = new RecordList(list, `/api/admin/records${location.search}`)
records.append(page)
records.expect(page.expected)
offerRefunds(list, records)
offer(form, "group", page.groups.map(({ id, name }) => new Option(name, id)))
offer(form, "model", page.models.map((model) => new Option(model)))
offer(form, "key", page.keys.map(({ id, label }) => new Option(label, id)))
offer(form, "token", page.tokens.map(({ id, label }) => new Option(label, id)))
form.addEventListener("formdata", ({ formData }) => {
  if (name && filterOf(form, "user").value === name) formData.set("user", wanted.get("user") ?? "")
})
keepFilters(
  form,
  ["user", "group", "model", "key", "outcome", "provenance", "channel", "token", "id", "from", "to"],
  (key) => (key === "user" && name ? name : (wanted.get(key) ?? "")),
)
