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
    ["provenance", provenanceWords(entry)],
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

/** A search has no text that an estimate could be of. @param {Entry} entry */
function provenanceWords({ provenance, channel, source }) {
  const isGuess = channel === "search" && source === "estimated" && provenance !== "refunded"
  return t(isGuess ? "js.records.provenance_search_long" : `js.records.provenance_${provenance}_long`)
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

/**
 * Where a request has a price, tokens of which there were none are left out.
 * @param {HTMLElement} row @param {NonNullable<Entry["price"]>} price @param {string} currency
 */
function fillPrice(row, { parts }, currency) {
  const isByRequest = parts.some(({ kind }) => kind === "request")
  for (const { kind, tokens, price, micros } of parts) {
    const quoted = formatMoney(Math.round(Number(price) * 1_000_000), currency)
    const isRequest = kind === "request"
    slot(row, `${kind}-part`).hidden = isByRequest && !isRequest && tokens === 0
    fill(row, {
      [`${kind}-tokens`]: isRequest ? "–" : formatNumber(tokens),
      [`${kind}-price`]: isRequest ? t("js.records.per_thousand", { price: quoted }) : quoted,
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
