// @ts-check
/** What one's own records are searched for. It stands in the address, so that a search can be gone back to. */
import { withParameter } from "app/addresses"
import { withDays } from "app/range"

const OF_RECORDS = ["model", "outcome", "provenance", "channel", "token", "id"]
const wanted = new URLSearchParams(location.search)

/** Where the records come from that the page begins with: those of an id are of any day. @param {string} path @param {import("app/range").Days} days */
export function recordsPath(path, days) {
  const begin = wanted.get("id") ? path : withDays(path, days)
  return OF_RECORDS.reduce((found, name) => (wanted.get(name) ? withParameter(found, name, wanted.get(name) ?? "") : found), begin)
}

/** @param {HTMLFormElement} form @param {{models: string[], tokens: {id: string, label: string}[]}} known tokens are one's own @param {import("app/range").Days} days */
export function showFilters(form, { models, tokens }, days) {
  offer(form, "model", models.map((name) => new Option(name)))
  offer(form, "token", tokens.map(({ id, label }) => new Option(label, id)))
  const show = () => {
    for (const name of OF_RECORDS) field(form, name).value = wanted.get(name) ?? ""
    for (const name of /** @type {("from" | "to")[]} */ (["from", "to"])) field(form, name).value = days[name]
  }
  show()
  addEventListener("pageshow", show) // a page gone back to keeps what was being chosen when it was left
  form.addEventListener("formdata", ({ formData }) => {
    for (const [key, value] of [...formData]) if (!value) formData.delete(key)
  })
}

/** Also what is asked for and there no more, as a revoked token. @param {HTMLFormElement} form @param {string} name @param {HTMLOptionElement[]} options */
function offer(form, name, options) {
  const asked = wanted.get(name)
  const gone = asked && !options.some(({ value }) => value === asked) ? [new Option(asked)] : []
  field(form, name).append(...options, ...gone)
}

/** @param {HTMLFormElement} form @param {string} name */
const field = (form, name) => /** @type {HTMLInputElement | HTMLSelectElement} */ (form.elements.namedItem(name))
