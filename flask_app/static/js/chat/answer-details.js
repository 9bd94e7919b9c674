// @ts-check
/** What one answer took: tokens, cost, time. Asked for when somebody wants to know. */
import { api } from "app/api.js"
import { hideWhenMoved } from "app/chat/context-meter.js"
import { costText, formatSeconds } from "app/usage/figures.js"
import { formatNumber, t } from "app/i18n.js"
import { must, placeBeside, slot, tell } from "app/ui.js"
import { isTemporary } from "app/chat/writing.js"

/**
 * @typedef {object} Took
 * @property {string | null} model
 * @property {string | null} actual_model
 * @property {string | null} effort
 * @property {number} prompt_tokens
 * @property {number} cached_tokens
 * @property {number} completion_tokens
 * @property {number} reasoning_tokens
 * @property {boolean} estimated
 * @property {import("app/usage/figures.js").Cost[]} costs
 * @property {boolean} unpriced
 * @property {boolean} free
 * @property {number | null} first_token_ms
 * @property {number | null} writing_ms
 * @property {number} written_tokens
 * @property {number} duration_ms
 * @property {{costs: import("app/usage/figures.js").Cost[], unpriced: boolean} | null} search of the web, beside all that
 */

const panel = must(document, "[data-answer-details]")
/** @type {HTMLElement | null} */
let opener = null

panel.addEventListener("toggle", (event) => {
  const open = /** @type {ToggleEvent} */ (event).newState === "open"
  opener?.setAttribute("aria-expanded", String(open))
})
hideWhenMoved(panel, () => opener)

/** @param {import("app/chat/answer.js").Answer} answer @param {HTMLElement} button */
export async function openDetails(answer, button) {
  if (!answer.id || button.ariaBusy === "true") return
  button.ariaBusy = "true"
  try {
    const path = isTemporary() ? `/api/runs/${answer.runId}/usage` : `/api/messages/${encodeURIComponent(answer.id)}/usage`
    const took = await api.get(path)
    if (!button.isConnected) return
    opener = button
    slot(panel, "facts").replaceChildren(...factsOf(took).flatMap(([name, text]) => [element("dt", t(`js.details_${name}`)), element("dd", text)]))
    panel.showPopover()
    placeBeside(panel, button)
    panel.focus({ preventScroll: true })
  } catch (error) {
    tell(error)
  } finally {
    button.ariaBusy = null
  }
}

/** What is not known is left out. @param {Took} took @returns {[string, string][]} */
export function factsOf(took) {
  const { model, actual_model: actual, first_token_ms: first, costs, estimated, unpriced, search } = took
  const requests = took.duration_ms || costs.length ? 1 : 0
  /** @type {[string, string | null][]} */
  const facts = [
    ["model", model],
    ["actual_model", actual === model ? null : actual],
    ["effort", took.effort && t(`js.effort_${took.effort}`)],
    ["input", withPart(took.prompt_tokens, "cached", took.cached_tokens)],
    ["output", withPart(took.completion_tokens, "reasoning", took.reasoning_tokens)],
    ["figures", estimated ? t("js.records.provenance_estimated") : null],
    ["cost", costText({ costs, requests, unpriced_requests: Number(unpriced) })],
    ["search", search && costText({ costs: search.costs, requests: 1, unpriced_requests: Number(search.unpriced) })],
    ["first_token", first === null ? null : formatSeconds(first)],
    ["speed", speed(took)],
    ["duration", took.duration_ms ? formatSeconds(took.duration_ms) : null],
  ]
  return /** @type {[string, string][]} */ (facts.filter(([, text]) => text))
}

/** @param {number} whole @param {string} kind @param {number} part */
function withPart(whole, kind, part) {
  const words = part ? t(`js.dashboard.${kind}`, { count: formatNumber(part) }) : ""
  return [formatNumber(whole), words].filter(Boolean).join(" · ")
}

/** Once it had begun; what came at once has none. @param {Took} took */
function speed({ written_tokens: tokens, writing_ms: time }) {
  if (!time || !tokens) return null
  const each = (tokens * 1000) / time
  return t("js.details_per_second", { count: formatNumber(each < 10 ? Math.round(each * 10) / 10 : Math.round(each)) })
}

/** @param {string} name @param {string} text */
function element(name, text) {
  const made = document.createElement(name)
  made.textContent = text
  return made
}
