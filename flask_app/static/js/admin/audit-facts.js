// @ts-check
/** What an entry of the audit log tells besides who did what: what it was done to by name, and with which values. */
import { t } from "app/i18n.js"

/** @typedef {Record<string, unknown> & {before?: Record<string, unknown>, after?: Record<string, unknown>}} Details */

const NAMES = ["username", "label", "name", "model"]

/** By its name where the entry has it, by its id otherwise. @param {string} target @param {Details} details */
export function nameOf(target, details) {
  const known = NAMES.map((name) => details[name]).find((value) => typeof value === "string" && value)
  return String(known ?? target)
}

/** A line for each value; for what changed, as it was and as it is. @param {Details} details */
export function factsOf({ before = {}, after = {}, ...others }) {
  const named = NAMES.find((name) => typeof others[name] === "string" && others[name])
  const facts = Object.entries(others).filter(([name]) => name !== named)
  return [
    ...Object.keys(after).map((name) => t("js.audit.change", { name, before: shown(before[name]), after: shown(after[name]) })),
    ...facts.map(([name, value]) => t("js.audit.fact", { name, value: shown(value) })),
  ]
}

/** @param {unknown} value */
function shown(value) {
  if (value === null || value === undefined || value === "") return "–"
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}
