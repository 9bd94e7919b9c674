// @ts-check
/** A range of days: which one, its sums against the time before, and where its price came from. */
import { withParameter } from "app/addresses.js"
import { costText, figuresOf, moneyText } from "app/usage/figures.js"
import { formatChange, formatDays, formatPercent, t } from "app/i18n.js"
import { fill, must, slot } from "app/ui.js"

/**
 * @typedef {import("app/usage/figures.js").Sum} Sum
 * @typedef {import("app/usage/figures.js").Cost} Cost
 * @typedef {{from: string, to: string}} Days both within
 * @typedef {{seen: string, heard: string}} Change
 *
 * @typedef {object} Report
 * @property {string} from
 * @property {string} to
 * @property {string} timezone
 * @property {Sum} sum
 * @property {Days & {sum: Sum}} before
 * @property {boolean} ongoing the time before is cut at the same time of it
 * @property {number} peak_tokens
 * @property {Cost[]} cache_saved
 * @property {Cost[]} peak_extra
 * @property {import("app/usage/chart.js").Unit} unit
 * @property {import("app/usage/chart.js").Bar[]} bars
 * @property {Record<string, Days>} presets
 */

/** The path, with the range in its query. @param {string} path @param {Days} days */
export const withDays = (path, { from, to }) => withParameter(withParameter(path, "from", from), "to", to)

export class RangePicker {
  #links
  #by

  /** @param {HTMLElement} root @param {Report} report */
  constructor(root, report) {
    this.#links = /** @type {NodeListOf<HTMLAnchorElement>} */ (root.querySelectorAll("[data-preset]"))
    this.#by = /** @type {HTMLInputElement} */ (must(root, '[name="by"]'))
    const first = /** @type {HTMLInputElement} */ (must(root, '[name="from"]'))
    const last = /** @type {HTMLInputElement} */ (must(root, '[name="to"]'))
    for (const link of this.#links) link.href = `${withDays(location.pathname, presetOf(link, report))}#range`
    const chosen = [...this.#links].find((link) => isSame(presetOf(link, report), report))
    chosen?.setAttribute("aria-current", "true")
    first.value = report.from
    last.value = report.to
    const keepOrder = () => last.setAttribute("min", first.value)
    keepOrder()
    first.addEventListener("change", keepOrder)
  }

  /** Another range is to be told apart alike. @param {string} by */
  keep(by) {
    this.#by.value = by
    this.#by.disabled = false
    for (const link of this.#links) link.href = `${withParameter(link.href, "by", by)}#range`
  }
}

/** @param {HTMLElement} root @param {Report} report */
export function showSums(root, report) {
  const { sum, before } = report
  const { tokens, requests } = figuresOf(sum)
  const compared = before.sum.requests > 0
  fill(root, { title: formatDays(report), tokens, requests, cost: costText(sum), ...shares(report) })
  slot(root, "compared").hidden = !compared
  if (!compared) return
  const sentence = report.ongoing ? "js.stats.compared_so_far" : "js.stats.compared"
  slot(root, "compared").textContent = t(sentence, { days: formatDays(before) })
  showChange(slot(root, "tokens-change"), changeWords(sum.total_tokens, before.sum.total_tokens))
  showChange(slot(root, "requests-change"), changeWords(sum.requests, before.sum.requests))
  showChange(slot(root, "cost-change"), costChange(sum.costs, before.sum.costs))
}

/** @param {HTMLElement} place @param {Change | null} words */
function showChange(place, words) {
  if (!words) return
  const seen = document.createElement("span")
  seen.textContent = words.seen
  seen.setAttribute("aria-hidden", "true")
  const heard = document.createElement("span")
  heard.className = "visually-hidden"
  heard.textContent = words.heard
  place.replaceChildren(seen, heard)
}

/** "+12%", and in words where it is heard; null where there is nothing to compare with. @param {number} now @param {number} before */
export function changeWords(now, before) {
  if (before <= 0) return null
  const change = (now - before) / before
  const way = change > 0 ? "more" : change < 0 ? "less" : "same"
  return { seen: formatChange(change), heard: t(`js.stats.change_${way}`, { share: formatPercent(Math.abs(change)) }) }
}

/** Each currency with its own of before, and by its name where there are several. @param {Cost[]} now @param {Cost[]} before */
export function costChange(now, before) {
  const currencies = [...new Set([...now, ...before].map(({ currency }) => currency))]
  const changes = currencies.flatMap((currency) => {
    const words = moneyChange(microsOf(now, currency), microsOf(before, currency))
    return words ? [{ currency, ...words }] : []
  })
  if (currencies.length === 1 || !changes.length) return changes[0] ?? null
  return {
    seen: changes.map(({ currency, seen }) => `${currency}\u00a0${seen}`).join(" · "),
    heard: changes.map(({ currency, heard }) => `${currency}: ${heard}`).join("; "),
  }
}

/** @param {number} now @param {number} before @returns {Change | null} */
function moneyChange(now, before) {
  if (now > 0 && before > 0) return changeWords(now, before)
  if (now <= 0 && before <= 0) return null
  const words = t(now > 0 ? "js.stats.none_before" : "js.stats.none_now")
  return { seen: words, heard: words }
}

/** @param {Cost[]} costs @param {string} wanted */
const microsOf = (costs, wanted) => costs.find(({ currency }) => currency === wanted)?.micros ?? 0

/** @param {Report} report */
export function shares({ sum, peak_tokens: peak, cache_saved: saved, peak_extra: extra }) {
  const cached = shareText(sum.cached_tokens, sum.prompt_tokens)
  const atPeak = shareText(peak, sum.total_tokens)
  const [less, more] = [worth(saved), worth(extra)]
  return {
    cache: cached ?? "–",
    "cache-note": cached ? t(less ? "js.stats.cache_saved" : "js.stats.cache_share", { money: less }) : "",
    peak: atPeak ?? "–",
    "peak-note": atPeak ? t(more ? "js.stats.peak_extra" : "js.stats.peak_share", { money: more }) : "",
  }
}

/** Null without a whole, and where refunds have left a part that is none of it. @param {number} part @param {number} whole */
export const shareText = (part, whole) => (whole > 0 && part >= 0 && part <= whole ? formatPercent(part / whole) : null)

/** A currency in which it came to nothing is not named. @param {Cost[]} costs */
const worth = (costs) => moneyText(costs.filter(({ micros }) => micros > 0))

/** @param {HTMLElement} link @param {Report} report */
function presetOf(link, { presets }) {
  const days = presets[link.dataset.preset ?? ""]
  if (!days) throw new Error(`there is no such range: ${link.dataset.preset}`)
  return days
}

/** @param {Days} one @param {Days} other */
const isSame = (one, other) => one.from === other.from && one.to === other.to
