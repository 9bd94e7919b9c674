// @ts-check
/** Everything that the ledger knows of an entry: facts with their names, and what its price is made of. */
import { formatSeconds } from "app/usage/figures.js"
import { formatDateTime, formatMoney, formatNumber, t } from "app/i18n.js"
import { fill, slot } from "app/ui.js"

/** @typedef {import("app/usage/records.js").Entry} Entry */

/** @param {HTMLElement} row @param {Entry} entry */
export function fillDetails(row, entry) {
  const list = slot(row, "facts")
  list.replaceChildren(...factsOf(entry).flatMap(([name, text]) => [element("dt", t(`js.records.fact_${name}`)), element("dd", text)]))
  slot(row, "price").hidden = !entry.price
  if (entry.price) fillPrice(row, entry.price, entry.currency ?? "")
}

/** What is not known, or not for the reader's eyes, is left out. @param {Entry} entry @returns {[string, string][]} */
function factsOf(entry) {
  const { model, actual_model: actual, key_label: key, refunded_at: refunded, first_token_ms: first } = entry
  /** @type {[string, string | null | undefined][]} */
  const facts = [
    ["provenance", t(`js.records.provenance_${entry.provenance}_long`)],
    ["refund", refunded && t("js.records.refund_of", { time: formatDateTime(refunded), reason: entry.reason ?? "" })],
    ["outcome", outcomeWords(entry)],
    ["model", model],
    ["actual_model", actual],
    ["provider", entry.provider],
    ["key", key],
    ["attempts", formatNumber(entry.attempts)],
    ["channel", t(`js.records.channel_${entry.channel}`)],
    ["token", entry.token_name],
    ["first_token", first === null ? null : formatSeconds(first)],
    ["duration", entry.kind === "refund" ? null : formatSeconds(entry.duration_ms)],
    ["price", priceWords(entry)],
    ["id", entry.id],
    ["request", entry.request_id],
    ["attempt", entry.attempt_id],
  ]
  return /** @type {[string, string][]} */ (facts.filter(([, text]) => text))
}

/** @param {Entry} entry */
function outcomeWords({ outcome, unread }) {
  const words = t(`js.dashboard.outcome_${outcome}`)
  return unread ? t("js.records.unread", { outcome: words }) : words
}

/** @param {Entry} entry */
function priceWords({ price, peak, free }) {
  if (free) return t("js.dashboard.free")
  if (!price) return t("js.dashboard.unpriced")
  const hours = peak === null ? "any_hour" : peak ? "peak" : "off_peak"
  return t("js.records.price_since", { kind: t(`js.records.${hours}`), time: formatDateTime(price.starts_at) })
}

/** @param {HTMLElement} row @param {NonNullable<Entry["price"]>} price @param {string} currency */
function fillPrice(row, { parts }, currency) {
  for (const { kind, tokens, price, micros } of parts) {
    fill(row, {
      [`${kind}-tokens`]: formatNumber(tokens),
      [`${kind}-price`]: formatMoney(Math.round(Number(price) * 1_000_000), currency),
      [`${kind}-cost`]: formatMoney(micros, currency),
    })
  }
}

/** @param {string} name @param {string} text */
function element(name, text) {
  const made = document.createElement(name)
  made.textContent = text
  return made
}
