// @ts-check
/** What one's own records are searched for. */
import { withParameter } from "app/addresses.js"
import { keepFilters, offer, wanted } from "app/filters.js"
import { withDays } from "app/usage/range.js"

const OF_RECORDS = ["model", "outcome", "provenance", "channel", "token", "id"]

/** Where the records come from that the page begins with: those of an id are of any day. @param {string} path @param {import("app/usage/range.js").Days} days */
export function recordsPath(path, days) {
  const begin = wanted.get("id") ? path : withDays(path, days)
  return OF_RECORDS.reduce((found, name) => (wanted.get(name) ? withParameter(found, name, wanted.get(name) ?? "") : found), begin)
}

/** @param {HTMLFormElement} form @param {{models: string[], tokens: {id: string, label: string}[]}} known tokens are one's own @param {import("app/usage/range.js").Days} days */
export function showFilters(form, { models, tokens }, days) {
  offer(form, "model", models.map((name) => new Option(name)))
  offer(form, "token", tokens.map(({ id, label }) => new Option(label, id)))
  keepFilters(form, [...OF_RECORDS, "from", "to"], (name) => (name === "from" || name === "to" ? days[name] : (wanted.get(name) ?? "")))
}
