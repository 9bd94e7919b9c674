// @ts-check
/** What programs asked, a page at a time; each line opens into all that is known of it. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { formatSeconds } from "app/usage/figures.js"
import { keepFilters, offer } from "app/filters.js"
import { formatDateTime, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { callWords, factsOf } from "app/programs/request-facts.js"
import { fromTemplate, must, slot } from "app/ui.js"

/**
 * @typedef {import("app/programs/request-facts.js").ProgramRequest} ProgramRequest
 * @typedef {{requests: ProgramRequest[], next: string | null}} Page
 * @typedef {Page & {models: string[], tokens: {id: string, label: string}[], days: number}} State
 */

const FILTERS = ["token", "model", "status", "error", "id", "from", "to"]

/**
 * @param {State} state what the page begins with
 * @param {{path: string, page: string, records: string, filters?: string[], showWords?: (request: ProgramRequest) => void}} where
 *   more come from, where they and their records are shown, what else they are searched for, and how one's words are shown
 */
export function showRequests(state, { path, page, records, filters = [], showWords }) {
  const form = /** @type {HTMLFormElement} */ (must(document, "[data-filters]"))
  const list = must(document, "[data-requests]")
  /** @type {string | null} */
  let next = null

  /** @param {Page} found */
  const append = (found) => {
    next = found.next
    list.append(...found.requests.map((request) => line(request, page, records, showWords)))
    must(document, "[data-requests-foot]").hidden = !next
    must(document, "[data-requests-none]").hidden = list.childElementCount > 0
  }

  append(state)
  offer(form, "token", state.tokens.map(({ id, label }) => new Option(label, id)))
  offer(form, "model", state.models.map((name) => new Option(name)))
  keepFilters(form, [...filters, ...FILTERS])
  onMore(must(document, "[data-requests-more]"), async () => {
    const last = list.lastElementChild
    append(await api.get(withParameter(`${path}${location.search}`, "before", next ?? "")))
    last?.nextElementSibling?.querySelector("summary")?.focus({ preventScroll: true }) // the button may go
  })
}

/** @param {ProgramRequest} request @param {string} page @param {string} records @param {((request: ProgramRequest) => void) | undefined} showWords */
function line(request, page, records, showWords) {
  const element = fromTemplate("request-template", {
    status: [request.status, request.error_code].filter(Boolean).join(" · "),
    what: [request.model, callWords(request)].filter(Boolean).join(" · "),
    who: [request.user?.username, request.token_name].filter(Boolean).join(" · "),
    when: `${formatDateTime(request.created_at)} · ${formatSeconds(request.duration_ms)}`,
  })
  slot(element, "status").className = badge(request)
  slot(element, "words").hidden = !(showWords && request.has_words)
  slot(element, "words").addEventListener("click", () => showWords?.(request))
  const details = must(element, "details")
  details.addEventListener("toggle", () => fillDetails(element, request, page, records), { once: true })
  return element
}

/** @param {ProgramRequest} request */
function badge({ status, error_code: code }) {
  if (status >= 500 || (status < 300 && code && code !== "left")) return "badge badge--danger"
  return code ? "badge badge--warn" : "badge badge--ok"
}

/** Made when the line is first opened. @param {HTMLElement} element @param {ProgramRequest} request @param {string} page @param {string} records */
function fillDetails(element, request, page, records) {
  slot(element, "facts").replaceChildren(...factsOf(request).flatMap(([name, text]) => [made("dt", t(name)), made("dd", text)]))
  const record = slot(element, "record")
  record.hidden = request.record_id === null
  record.setAttribute("href", withParameter(records, "id", request.record_id ?? ""))
  const alike = slot(element, "alike")
  alike.hidden = request.error_code === null
  alike.textContent = t("js.requests.alike", { code: request.error_code ?? "" })
  alike.setAttribute("href", withParameter(page, "error", request.error_code ?? ""))
}

/** @param {string} name @param {string} text */
function made(name, text) {
  const element = document.createElement(name)
  element.textContent = text
  return element
}
