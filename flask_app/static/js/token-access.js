// @ts-check
/** How often a token may ask, and from where: the fields of `partials/token_access.html`, and the same in words. */
import { FieldMistake, clearFieldErrors } from "app/field-errors"
import { formatNumber, t } from "app/i18n"
import { must } from "app/ui"

/** @typedef {{requests_per_minute: number | null, networks: string[]}} Access */

const MOST = 10_000

/** What is wanted. @param {HTMLFormElement} form @returns {Access} throws FieldMistake */
export function typedAccess(form) {
  clearFieldErrors(form)
  const rate = rateOf(form).value.trim()
  if (rate && !(/^[0-9]{1,5}$/.test(rate) && Number(rate) > 0 && Number(rate) <= MOST)) {
    throw new FieldMistake("requests_per_minute", t("js.tokens.rate_mistake"))
  }
  return { requests_per_minute: rate ? Number(rate) : null, networks: linesOf(networksOf(form).value) }
}

/** @param {HTMLFormElement} form @param {Access} access */
export function showAccess(form, access) {
  rateOf(form).value = access.requests_per_minute === null ? "" : String(access.requests_per_minute)
  networksOf(form).value = access.networks.join("\n")
}

/** Each bound in words; none where nothing is set. @param {Access} access @returns {string[]} */
export function accessWords({ requests_per_minute: rate, networks }) {
  return [
    ...(rate === null ? [] : [t("js.tokens.rate_is", { count: formatNumber(rate) })]),
    ...(networks.length ? [t("js.tokens.only_from", { networks: networks.join(", ") })] : []),
  ]
}

/** What stands on each line. @param {string} text */
export const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean)

/** @param {HTMLFormElement} form */
const rateOf = (form) => /** @type {HTMLInputElement} */ (must(form, '[name="requests_per_minute"]'))

/** @param {HTMLFormElement} form */
const networksOf = (form) => /** @type {HTMLTextAreaElement} */ (must(form, '[name="networks"]'))
