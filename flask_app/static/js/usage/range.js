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
  showChange(slot(root, "tokens-change"), sum.total_tokens, before.sum.total_tokens)
  showChange(slot(root, "requests-change"), sum.requests, before.sum.requests)
  const [now, then] = [onlyCost(sum), onlyCost(before.sum)]
  if (now && then && now.currency === then.currency) showChange(slot(root, "cost-change"), now.micros, then.micros)
}

/** @param {HTMLElement} place @param {number} now @param {number} before */
function showChange(place, now, before) {
  const words = changeWords(now, before)
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

/** @param {Report} report */
function shares({ sum, peak_tokens: peak, cache_saved: saved, peak_extra: extra }) {
  const cached = shareText(sum.cached_tokens, sum.prompt_tokens)
  const atPeak = shareText(peak, sum.total_tokens)
  return {
    cache: cached ?? "–",
    "cache-note": cached ? t(worth(saved) ? "js.stats.cache_saved" : "js.stats.cache_share", { money: moneyText(saved) }) : "",
    peak: atPeak ?? "–",
    "peak-note": atPeak ? t(worth(extra) ? "js.stats.peak_extra" : "js.stats.peak_share", { money: moneyText(extra) }) : "",
  }
}

/** Null without a whole, and where refunds have left a part that is none of it. @param {number} part @param {number} whole */
export const shareText = (part, whole) => (whole > 0 && part >= 0 && part <= whole ? formatPercent(part / whole) : null)

/** @param {Cost[]} costs */
const worth = (costs) => costs.some(({ micros }) => micros > 0)

/** @param {Sum} sum */
const onlyCost = ({ costs }) => (costs.length === 1 ? costs[0] : undefined)

/** @param {HTMLElement} link @param {Report} report */
function presetOf(link, { presets }) {
  const days = presets[link.dataset.preset ?? ""]
  if (!days) throw new Error(`there is no such range: ${link.dataset.preset}`)
  return days
}

/** @param {Days} one @param {Days} other */
const isSame = (one, other) => one.from === other.from && one.to === other.to
