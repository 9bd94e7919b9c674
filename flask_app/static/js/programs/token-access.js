// @ts-check
/** What a token may do, and what becomes of its answers: the fields of `partials/token_access.html`, and the same in words. */
import { FieldMistake, clearFieldErrors } from "app/field-errors.js"
import { formatNumber, t } from "app/i18n.js"
import { must } from "app/ui.js"

/** @typedef {{requests_per_minute: number | null, parallel_requests: number | null, networks: string[], on_disconnect: "stop" | "continue"}} Access */

const MOST = { requests_per_minute: 10_000, parallel_requests: 1000 }

/** What is wanted. @param {HTMLFormElement} form @returns {Access} throws FieldMistake */
export function typedAccess(form) {
  clearFieldErrors(form)
  return {
    requests_per_minute: typedNumber(form, "requests_per_minute"),
    parallel_requests: typedNumber(form, "parallel_requests"),
    networks: linesOf(networksOf(form).value),
    on_disconnect: goesOnOf(form).checked ? "continue" : "stop",
  }
}

/** @param {HTMLFormElement} form @param {Access} access */
export function showAccess(form, access) {
  for (const name of /** @type {(keyof typeof MOST)[]} */ (Object.keys(MOST))) numberOf(form, name).value = String(access[name] ?? "")
  networksOf(form).value = access.networks.join("\n")
  goesOnOf(form).checked = access.on_disconnect === "continue"
}

/** Each in words; none where nothing is set. @param {Access} access @returns {string[]} */
export function accessWords({ requests_per_minute: rate, parallel_requests: parallel, networks, on_disconnect: policy }) {
  return [
    ...(rate === null ? [] : [t("js.tokens.rate_is", { count: formatNumber(rate) })]),
    ...(parallel === null ? [] : [t("js.tokens.parallel_is", { count: formatNumber(parallel) })]),
    ...(networks.length ? [t("js.tokens.only_from", { networks: networks.join(", ") })] : []),
    ...(policy === "continue" ? [t("js.tokens.goes_on")] : []),
  ]
}

/** What stands on each line. @param {string} text */
export const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean)

/**
 * Null where nothing is typed.
 * @param {HTMLFormElement} form @param {keyof typeof MOST} name
 */
function typedNumber(form, name) {
  const typed = numberOf(form, name).value.trim()
  if (!typed) return null
  if (/^[0-9]{1,5}$/.test(typed) && Number(typed) > 0 && Number(typed) <= MOST[name]) return Number(typed)
  throw new FieldMistake(name, t("js.tokens.number_mistake", { most: formatNumber(MOST[name]) }))
}

/** @param {HTMLFormElement} form @param {string} name */
const numberOf = (form, name) => /** @type {HTMLInputElement} */ (must(form, `[name="${name}"]`))

/** @param {HTMLFormElement} form */
const networksOf = (form) => /** @type {HTMLTextAreaElement} */ (must(form, '[name="networks"]'))

/** Is an answer made to its end when its program leaves? @param {HTMLFormElement} form */
const goesOnOf = (form) => /** @type {HTMLInputElement} */ (must(form, '[name="on_disconnect"]'))
