// @ts-check
/** What could explain a difference between a balance and the ledger: records and attempts, with the way to them. */
import { formatDateTime, formatMoney, formatNumber, t } from "app/i18n.js"
import { localOf } from "app/instants.js"
import { fill, fromTemplate, must, slot } from "app/ui.js"

/**
 * @typedef {import("app/admin/reconciliation.js").Day} Day
 * @typedef {{id: string, at: string, model: string, key_id: string | null, user_id: string | null, username: string | null, micros: number | null, currency: string | null}} Item
 * @typedef {{kind: string, count: number, micros: number, items: Item[]}} Clue
 */

/** What the records' page is searched for. Attempts and prices are no records. @type {Record<string, Record<string, string>>} */
const SEARCHES = {
  unpriced: {},
  partial: { provenance: "partial" },
  estimated: { provenance: "estimated" },
  peak_edge: {},
  refunded: { provenance: "refunded" },
}

/** @param {HTMLElement} dialog @param {Day} day @param {Clue[]} clues */
export function showClues(dialog, day, clues) {
  must(dialog, "[data-clues]").replaceChildren(...clues.map((clue) => element(day, clue)))
  must(dialog, "[data-clues-none]").hidden = clues.length > 0 || day.drift === 0
}

/** @param {Day} day @param {Clue} clue */
function element(day, { kind, count, micros, items }) {
  const made = fromTemplate("clue-template", {
    kind: t(`js.reconciliation.clue_${kind}`),
    count: t("js.reconciliation.clue_count", { count: formatNumber(count), amount: formatMoney(micros, day.currency) }),
    text: t(`js.reconciliation.clue_${kind}_text`),
    more: t("js.reconciliation.clue_more", { count: formatNumber(count) }),
  })
  slot(made, "more").hidden = count <= items.length
  slot(made, "items").replaceChildren(...items.map((item) => line(day, kind, item)))
  slot(made, "links").replaceChildren(...linksOf(day, kind, items))
  return made
}

/** @param {Day} day @param {string} kind @param {Item} item */
function line(day, kind, item) {
  const cost = item.micros === null || item.currency === null ? "–" : formatMoney(item.micros, item.currency)
  const made = fromTemplate("clue-item-template", { model: item.model, id: kind === "price_change" ? "" : item.id, cost: kind === "price_change" ? "" : cost })
  fill(made, { time: formatDateTime(item.at), who: kind in SEARCHES ? "" : (item.username ?? "") })
  if (kind in SEARCHES && item.username) slot(made, "who").append(link(item.username, { ...SEARCHES[kind], user: item.user_id, model: item.model, key: item.key_id }, item.at, item.at))
  return made
}

/** A key's records of this kind in the days of the window, for each key. @param {Day} day @param {string} kind @param {Item[]} items */
function linksOf({ keys, since, until }, kind, items) {
  if (!(kind in SEARCHES)) return []
  const used = keys.filter(({ key_id: id }) => items.some((item) => item.key_id === id))
  return used.map(({ key_id: key, label }) => {
    const words = used.length > 1 ? t("js.reconciliation.records_of", { key: label }) : t("js.reconciliation.records")
    return link(words, { ...SEARCHES[kind], key }, since, until)
  })
}

/** @param {string} words @param {Record<string, string | null>} wanted @param {string} since @param {string} until */
function link(words, wanted, since, until) {
  const search = new URLSearchParams({ from: dayOf(since), to: dayOf(until) })
  for (const [name, value] of Object.entries(wanted)) if (value) search.set(name, value)
  const made = document.createElement("a")
  made.href = `/admin/records?${search}`
  made.textContent = words
  return made
}

/** The reader's day, as the records' page has it. @param {string} iso */
function dayOf(iso) {
  return localOf(iso, document.documentElement.dataset.timezone || "UTC").slice(0, 10)
}
