// @ts-check
/** The ledger's entries, a page at a time. */
import { withParameter } from "app/addresses"
import { api } from "app/api"
import { formatSeconds } from "app/figures"
import { formatDateTime, formatMoney, formatNumber, sentence, t } from "app/i18n"
import { announce, fill, fromTemplate, must, slot, toast } from "app/ui"

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} created_at
 * @property {{id: string, username: string}} [user]
 * @property {string} model
 * @property {string | null} actual_model
 * @property {string | null} provider
 * @property {string | null} key_label
 * @property {"reported" | "estimated"} source
 * @property {"complete" | "stopped" | "left" | "interrupted" | "failed"} outcome
 * @property {number} prompt_tokens
 * @property {number} cached_tokens
 * @property {number} completion_tokens
 * @property {number} reasoning_tokens
 * @property {number | null} cost_micros
 * @property {string | null} currency
 * @property {boolean} free the local model answered
 * @property {boolean | null} peak
 * @property {number | null} first_token_ms
 * @property {number} duration_ms
 *
 * @typedef {{records: Entry[], next: string | null}} Page
 */

/** What is as it should be stays quiet; the rest is a badge. */
const OUTCOME_BADGES = { complete: "record__usual", stopped: "badge", left: "badge", interrupted: "badge badge--warn", failed: "badge badge--danger" }
const SOURCE_BADGES = { reported: "record__usual", estimated: "badge badge--warn" }

export class RecordList {
  #path
  #rows
  #foot
  #none
  #more
  #region
  /** @type {string | null} */
  #next = null

  /** @param {HTMLElement} root @param {string} path where more come from, with any filter in its query */
  constructor(root, path) {
    this.#path = path
    this.#rows = must(root, "[data-record-rows]")
    this.#foot = must(root, "[data-records-foot]")
    this.#none = must(root, "[data-records-none]")
    this.#more = must(root, "[data-records-more]")
    this.#region = must(root, ".table-scroll")
    this.#more.addEventListener("click", () => this.#loadMore())
  }

  /** @param {Page} page */
  append({ records, next }) {
    this.#next = next
    this.#rows.append(...records.map(recordRow))
    this.#foot.hidden = !next
    this.#none.hidden = this.#rows.childElementCount > 0
  }

  async #loadMore() {
    if (!this.#next || this.#more.getAttribute("aria-busy") === "true") return
    this.#more.setAttribute("aria-busy", "true")
    try {
      const page = await api.get(withParameter(this.#path, "before", this.#next))
      this.append(page)
      announce(t("js.dashboard.loaded", { count: formatNumber(page.records.length) }))
      if (!page.next) this.#region.focus({ preventScroll: true })
    } catch (error) {
      toast(sentence(error), { kind: "danger" })
    } finally {
      this.#more.removeAttribute("aria-busy")
    }
  }
}

/** @param {Entry} entry */
function recordRow(entry) {
  const row = fromTemplate("record-template", {
    time: formatDateTime(entry.created_at),
    model: entry.model,
    "model-note": modelNote(entry),
    input: formatNumber(entry.prompt_tokens),
    "input-note": entry.cached_tokens ? t("js.dashboard.cached", { count: formatNumber(entry.cached_tokens) }) : "",
    output: formatNumber(entry.completion_tokens),
    "output-note": entry.reasoning_tokens ? t("js.dashboard.reasoning", { count: formatNumber(entry.reasoning_tokens) }) : "",
    duration: formatSeconds(entry.duration_ms),
    "duration-note": firstTokenNote(entry),
    outcome: t(`js.dashboard.outcome_${entry.outcome}`),
    source: t(`js.dashboard.${entry.source}`),
    ...costWords(entry),
  })
  slot(row, "time").setAttribute("datetime", entry.created_at)
  slot(row, "outcome").className = OUTCOME_BADGES[entry.outcome]
  slot(row, "source").className = SOURCE_BADGES[entry.source]
  if (entry.user) nameUser(row, entry.user)
  return row
}

/** @param {Entry} entry */
function modelNote({ model, actual_model: actual, provider, key_label: key }) {
  const other = actual && actual !== model ? t("js.dashboard.answered_by", { model: actual }) : ""
  return [provider, key, other].filter(Boolean).join(" · ")
}

/** @param {Entry} entry */
function firstTokenNote({ first_token_ms: first }) {
  return first === null ? "" : t("js.dashboard.first_token", { seconds: formatSeconds(first) })
}

/** @param {Entry} entry */
function costWords({ cost_micros: micros, currency, peak, free }) {
  if (free) return { cost: t("js.dashboard.free"), "cost-note": "" }
  if (micros === null || currency === null) return { cost: "–", "cost-note": t("js.dashboard.unpriced") }
  const note = peak === null ? "" : t(peak ? "js.dashboard.peak" : "js.dashboard.off_peak")
  return { cost: formatMoney(micros, currency), "cost-note": note }
}

/** @param {HTMLElement} row @param {{id: string, username: string}} user */
function nameUser(row, user) {
  const link = /** @type {HTMLAnchorElement} */ (slot(row, "user"))
  fill(row, { user: user.username })
  link.href = withParameter("/admin/records", "user", user.id)
}
