// @ts-check
/** What is known of a program's request, in words. */
import { formatSeconds } from "app/usage/figures.js"
import { formatNumber, t } from "app/i18n.js"

/**
 * @typedef {object} ProgramRequest
 * @property {string} id
 * @property {string} created_at
 * @property {{id: string, username: string}} [user] for administrators
 * @property {string} token_id
 * @property {string | null} token_name
 * @property {string} call
 * @property {string | null} model
 * @property {string | null} actual_model
 * @property {number} status
 * @property {string | null} error_code
 * @property {number} attempts
 * @property {number | null} first_token_ms
 * @property {number} duration_ms
 * @property {number} bytes_sent
 * @property {string} request_id
 * @property {string | null} attempt_id
 * @property {string | null} record_id
 * @property {string} address
 * @property {boolean} [has_words] what it said is kept; one's own alone
 */

/** @param {ProgramRequest} request */
export const callWords = ({ call }) => (call === "other" ? t("js.requests.call_other") : call)

/** What is not known, or not for the reader's eyes, is left out. @param {ProgramRequest} request @returns {[string, string][]} */
export function factsOf(request) {
  const { error_code: code, first_token_ms: first } = request
  /** @type {[string, string | null | undefined][]} */
  const facts = [
    ["js.requests.fact_status", String(request.status)],
    ["js.requests.fact_error", code],
    ["js.requests.fact_call", callWords(request)],
    ["js.requests.fact_user", request.user?.username],
    ["js.records.fact_token", request.token_name ?? request.token_id],
    ["js.records.fact_model", request.model],
    ["js.records.fact_actual_model", request.actual_model],
    ["js.records.fact_attempts", formatNumber(request.attempts)],
    ["js.records.fact_first_token", first === null ? null : formatSeconds(first)],
    ["js.records.fact_duration", formatSeconds(request.duration_ms)],
    ["js.requests.fact_bytes", formatNumber(request.bytes_sent)],
    ["js.requests.fact_address", request.address],
    ["js.records.fact_request", request.request_id],
    ["js.records.fact_attempt", request.attempt_id],
  ]
  return /** @type {[string, string][]} */ (facts.filter(([, text]) => text))
}
