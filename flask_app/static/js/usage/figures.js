// @ts-check
/** Sums of the ledger as words and figures: tiles, costs, durations. */
import { formatCompact, formatMoney, formatNumber, t } from "app/i18n.js"
import { fill, slot } from "app/ui.js"

/**
 * @typedef {{currency: string, micros: number}} Cost
 * @typedef {object} Sum
 * @property {number} requests
 * @property {number} prompt_tokens
 * @property {number} cached_tokens the part of prompt_tokens that the provider's cache held
 * @property {number} completion_tokens
 * @property {number} reasoning_tokens the part of completion_tokens spent thinking
 * @property {number} total_tokens
 * @property {number} estimated_requests
 * @property {number} unpriced_requests
 * @property {Cost[]} costs one a currency
 */

const WIDEST = 99_999_999

/** @param {HTMLElement} tile @param {Sum} sum */
export function fillTile(tile, sum) {
  const exact = formatNumber(sum.total_tokens)
  fill(tile, { ...figuresOf(sum), tokens: sum.total_tokens > WIDEST ? formatCompact(sum.total_tokens) : exact })
  slot(tile, "tokens").title = exact
  const flags = flagsOf(sum)
  slot(tile, "flags").replaceChildren(...flags)
  slot(tile, "flags").hidden = flags.length === 0
}

/** The words for each figure of a sum, by slot name. @param {Sum} sum */
export function figuresOf(sum) {
  return {
    requests: formatNumber(sum.requests),
    input: formatNumber(sum.prompt_tokens),
    cached: formatNumber(sum.cached_tokens),
    output: formatNumber(sum.completion_tokens),
    tokens: formatNumber(sum.total_tokens),
    cost: costText(sum),
  }
}

/** Currencies are never added up: "¥1.20 + $0.03". @param {Pick<Sum, "costs" | "requests" | "unpriced_requests">} sum */
export function costText({ costs, requests, unpriced_requests: unpriced }) {
  if (costs.length) return moneyText(costs)
  if (unpriced) return t("js.dashboard.unpriced")
  return requests ? t("js.dashboard.free") : "–"
}

/** @param {Cost[]} costs */
export const moneyText = (costs) => costs.map(({ micros, currency }) => formatMoney(micros, currency)).join("\u00a0+ ")

/** Shows what the badges mean, where the page has one. @param {ParentNode} root @param {Sum[]} sums */
export function explainFlags(root, sums) {
  const present = {
    estimated: sums.some((sum) => sum.estimated_requests > 0),
    unpriced: sums.some((sum) => sum.unpriced_requests > 0),
  }
  for (const [name, shown] of Object.entries(present)) {
    const note = root.querySelector(`[data-note="${name}"]`)
    if (note instanceof HTMLElement) note.hidden = !shown
  }
}

/** @param {number} milliseconds */
export function formatSeconds(milliseconds) {
  const isTiny = milliseconds < 10 // no hundredth of a second would be told as none
  const seconds = milliseconds / 1000
  const digits = { maximumFractionDigits: seconds < 1 ? 2 : 1 }
  const options = { ...digits, style: /** @type {const} */ ("unit"), unit: isTiny ? "millisecond" : "second", unitDisplay: /** @type {const} */ ("narrow") }
  return new Intl.NumberFormat(document.documentElement.lang, options).format(isTiny ? milliseconds : seconds)
}

/** @param {Sum} sum @returns {HTMLElement[]} */
function flagsOf(sum) {
  const flags = []
  if (sum.estimated_requests) {
    flags.push(badge(t("js.dashboard.estimated_count", { count: formatNumber(sum.estimated_requests) }), "warn"))
  }
  if (sum.unpriced_requests) {
    flags.push(badge(t("js.dashboard.unpriced_count", { count: formatNumber(sum.unpriced_requests) })))
  }
  return flags
}

/** @param {string} text @param {string} [kind] */
export function badge(text, kind) {
  const element = document.createElement("span")
  element.className = kind ? `badge badge--${kind}` : "badge"
  element.textContent = text
  return element
}
