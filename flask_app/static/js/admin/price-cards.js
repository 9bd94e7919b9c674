// @ts-check
/** The prices as cards: a model each, with what it costs now, later and before. */
import { formatDateTime, formatDay, formatMoney, formatNumber, nameOfZone, t } from "app/i18n.js"
import { fill, fromTemplate, must, slot } from "app/ui.js"

/**
 * @typedef {{input_hit: string, input_miss: string, output: string}} PriceList decimal strings per million tokens
 *
 * @typedef {object} Calendar
 * @property {string} timezone
 * @property {number[]} weekdays from 0, Monday
 * @property {[string, string][]} hours
 * @property {string} holidays a country, or nothing
 * @property {string[]} peak_days
 * @property {string[]} off_peak_days
 *
 * @typedef {object} Tariff
 * @property {string} id
 * @property {"past" | "current" | "planned"} state
 * @property {string} starts_at
 * @property {string | null} ends_at
 * @property {PriceList} prices
 * @property {string} thousand_requests what so many cost beside their tokens
 * @property {{prices: PriceList, calendar: Calendar} | null} peak
 *
 * @typedef {{currency: string, billed: boolean, peak_now: boolean | null, changes_at: string | null, tariffs: Tariff[]}} Line
 * @typedef {{model: string, providers: string[], listed: boolean, known: boolean, unpriced: boolean, unpriced_records: number, lines: Line[]}} ModelPrices
 */

const KINDS = /** @type {const} */ (["input_hit", "input_miss", "output"])

/** @param {ModelPrices} prices */
export function priceCard(prices) {
  const { model, providers, listed, known, unpriced, unpriced_records: records, lines } = prices
  const card = fromTemplate("prices-template", { model, providers: [...new Set(providers)].join(t("js.admin.separator")) })
  card.dataset.model = model
  say(card, "unpriced", listed && unpriced ? t("js.admin.price_unpriced") : "")
  say(card, "retired", listed ? "" : t(`js.admin.price_${known ? "retired" : "not_offered"}`))
  say(card, "records", records ? t("js.admin.price_unpriced_records", { count: formatNumber(records) }) : "")
  slot(card, "lines").append(...lines.map((line) => lineOf(prices, line)))
  must(card, "[data-new-price-of]").setAttribute("aria-label", t("js.admin.price_new_of", { model }))
  return card
}

/** @param {ModelPrices} prices @param {Line} line */
function lineOf({ model, known }, line) {
  const { currency, billed, tariffs } = line
  const element = fromTemplate("price-line-template", { currency })
  const current = tariffs.find(({ state }) => state === "current")
  slot(element, "missing").hidden = !billed || current !== undefined
  fill(element, { "missing-text": t("js.admin.price_missing", { currency }) })
  slot(element, "current").hidden = !current
  if (current) showCurrent(element, model, line, current)
  showItems(element, "planned", model, currency, tariffs.filter(({ state }) => state === "planned").reverse())
  showItems(element, "past", model, currency, tariffs.filter(({ state }) => state === "past"))
  if (billed) return element
  const other = fromTemplate("price-other-template", { currency: known ? t("js.admin.price_other_currency", { currency }) : currency })
  slot(other, "line").append(element)
  return other
}

/** @param {HTMLElement} element @param {string} model @param {Line} line @param {Tariff} tariff */
function showCurrent(element, model, { currency, peak_now: peakNow, changes_at: until }, tariff) {
  const { prices, peak, starts_at: since } = tariff
  must(element, ".table-scroll").setAttribute("aria-label", t("js.admin.price_table", { model, currency }))
  const rows = [priceRow(t(peak ? "js.admin.price_off_peak" : "js.admin.price_always"), prices, currency, peakNow === false)]
  if (peak) rows.push(priceRow(t("js.admin.price_peak"), peak.prices, currency, peakNow === true))
  slot(element, "rows").append(...rows)
  must(element, ".table-scroll").hidden = isByRequest(tariff)
  say(element, "requests", requestWords(tariff, currency))
  say(element, "now", peakNow === null ? "" : nowWords(peakNow, until))
  slot(element, "now").classList.add(peakNow ? "badge--warn" : "badge--ok")
  fill(element, { since: t("js.admin.price_since", { time: formatDateTime(since) }) })
  slot(element, "calendar").textContent = peak ? ` · ${calendarWords(peak.calendar)}` : ""
}

/** @param {boolean} peak @param {string | null} until */
function nowWords(peak, until) {
  if (!until) return t(peak ? "js.admin.price_peak_now" : "js.admin.price_off_peak_now")
  return t(peak ? "js.admin.price_peak_until" : "js.admin.price_off_peak_until", { time: formatDateTime(until) })
}

/** @param {string} when @param {PriceList} prices @param {string} currency @param {boolean} holds now */
function priceRow(when, prices, currency, holds) {
  const row = fromTemplate("price-row-template", { when })
  row.classList.toggle("price__row--now", holds)
  for (const kind of KINDS) slot(row, kind).textContent = priceText(prices[kind], currency)
  return row
}

/** @param {HTMLElement} element @param {"planned" | "past"} name @param {string} model @param {string} currency @param {Tariff[]} tariffs */
function showItems(element, name, model, currency, tariffs) {
  slot(element, name).hidden = tariffs.length === 0
  slot(element, `${name}-list`).append(...tariffs.map((tariff) => item(model, currency, tariff)))
}

/** @param {string} model @param {string} currency @param {Tariff} tariff */
function item(model, currency, tariff) {
  const { id, state, starts_at: starts, ends_at: ends, peak } = tariff
  const time = formatDateTime(starts)
  const element = fromTemplate("price-item-template", {
    time: ends ? t("js.admin.price_between", { from: time, to: formatDateTime(ends) }) : t("js.admin.price_from", { time }),
    prices: pricesWords(tariff, currency),
  })
  element.dataset.id = id
  say(element, "calendar", peak ? calendarWords(peak.calendar) : "")
  slot(element, "acts").hidden = state !== "planned"
  must(element, "[data-edit-price]").setAttribute("aria-label", t("js.admin.price_edit_of", { model, time }))
  must(element, "[data-remove-price]").setAttribute("aria-label", t("js.admin.price_remove_of", { model, time }))
  return element
}

/** @param {Tariff} tariff @param {string} currency */
function pricesWords(tariff, currency) {
  const { prices, peak } = tariff
  const requests = requestWords(tariff, currency)
  if (isByRequest(tariff)) return requests
  const usual = three(prices, currency)
  const tokens = peak ? t("js.admin.price_with_peak", { usual, peak: three(peak.prices, currency) }) : usual
  return requests ? t("js.admin.price_and_requests", { tokens, requests }) : tokens
}

/** Do requests cost something, and tokens nothing? @param {Tariff} tariff */
function isByRequest({ prices, peak, thousand_requests: requests }) {
  return Number(requests) > 0 && [prices, ...(peak ? [peak.prices] : [])].every((each) => KINDS.every((kind) => Number(each[kind]) === 0))
}

/** Nothing where requests cost nothing of their own. @param {Tariff} tariff @param {string} currency */
function requestWords({ thousand_requests: requests }, currency) {
  return Number(requests) > 0 ? t("js.admin.price_of_requests", { price: priceText(requests, currency) }) : ""
}

/** @param {PriceList} prices @param {string} currency */
function three({ input_hit: hit, input_miss: miss, output }, currency) {
  return t("js.admin.price_three", { hit: priceText(hit, currency), miss: priceText(miss, currency), output: priceText(output, currency) })
}

/** @param {string} price @param {string} currency */
const priceText = (price, currency) => formatMoney(Math.round(Number(price) * 1_000_000), currency)

/** @param {Calendar} calendar */
function calendarWords({ timezone, weekdays, hours, holidays, peak_days: peakDays, off_peak_days: offPeakDays }) {
  const spans = hours.map(([from, to]) => `${from}–${to}`).join(t("js.admin.separator"))
  const words = [t("js.admin.calendar", { days: runs(weekdays), hours: spans, timezone: nameOfZone(timezone) })]
  if (holidays) words.push(t("js.admin.calendar_holidays", { country: countryName(holidays) }))
  if (offPeakDays.length) words.push(t("js.admin.calendar_off_days", { days: dayNames(offPeakDays) }))
  if (peakDays.length) words.push(t("js.admin.calendar_peak_days", { days: dayNames(peakDays) }))
  return words.join("")
}

/** "Mon–Fri", "Mon, Wed": days that follow each other are one. @param {number[]} weekdays */
function runs(weekdays) {
  /** @type {number[][]} */
  const found = []
  for (const day of [...weekdays].sort()) {
    const last = found.at(-1)
    if (last?.at(-1) === day - 1) last.push(day)
    else found.push([day])
  }
  const names = found.map((run) => [...new Set([run[0], run.at(-1)])].map((day) => weekdayName(day ?? 0)).join("–"))
  return names.join(t("js.admin.separator"))
}

/** @param {string[]} days */
const dayNames = (days) => days.map((day) => `${day.slice(0, 4)} ${formatDay(day)}`).join(t("js.admin.separator"))

const weekday = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", timeZone: "UTC" })
const region = new Intl.DisplayNames(document.documentElement.lang, { type: "region" })

/** @param {number} day from 0, Monday */
export const weekdayName = (day) => weekday.format(Date.UTC(2024, 0, 1 + day)) // that year began with a Monday

/** @param {string} code */
export const countryName = (code) => region.of(code) ?? code

/** @param {HTMLElement} element @param {string} name @param {string} words */
function say(element, name, words) {
  slot(element, name).textContent = words
  slot(element, name).hidden = !words
}
