// @ts-check
/** The ledger's entries, a page at a time; each opens into all that is known of it. */
import { withParameter } from "app/addresses.js"
import { api, loaded } from "app/api.js"
import { formatSeconds } from "app/usage/figures.js"
import { formatDateTime, formatMoney, formatNumber, t } from "app/i18n.js"
import { fillDetails } from "app/usage/record-details.js"
import { announce, fill, fromTemplate, must, slot, tell } from "app/ui.js"

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {"usage" | "refund"} kind
 * @property {string} created_at
 * @property {string} channel
 * @property {{id: string, username: string}} [user]
 * @property {string} model
 * @property {string | null} actual_model
 * @property {string | null} provider
 * @property {string | null} [key_label] for administrators
 * @property {"reported" | "estimated" | "partial" | "refunded"} provenance
 * @property {"reported" | "estimated"} source
 * @property {"complete" | "stopped" | "left" | "interrupted" | "failed"} outcome
 * @property {number} attempts
 * @property {number} prompt_tokens
 * @property {number} cached_tokens
 * @property {number} completion_tokens
 * @property {number} reasoning_tokens
 * @property {number} total_tokens
 * @property {number | null} cost_micros
 * @property {string | null} currency
 * @property {boolean} free nobody bills it: the local model answered, or SearXNG searched
 * @property {boolean | null} peak
 * @property {{tariff_id: string, starts_at: string, parts: Part[]} | null} price
 * @property {number | null} first_token_ms
 * @property {number} duration_ms
 * @property {string | null} refunded_at
 * @property {string | null} reason of the refund
 * @property {string | null} request_id
 * @property {string} attempt_id
 * @property {string | null} token_name
 * @property {boolean} unread
 *
 * @typedef {{kind: "input_hit" | "input_miss" | "output" | "request", tokens: number, price: string, micros: number}} Part
 * @typedef {{records: Entry[], next: string | null}} Page
 */

/** What is as it should be stays quiet; the rest is a badge. */
const OUTCOME_BADGES = { complete: "record__usual", stopped: "badge", left: "badge", interrupted: "badge badge--warn", failed: "badge badge--danger" }
const PROVENANCE_BADGES = { reported: "record__usual", estimated: "badge badge--warn", partial: "badge badge--warn", refunded: "badge badge--ok" }

const BEGUN = "downloads-begun" // as app/disk-file notes it

export class RecordList {
  #path
  #rows
  #foot
  #none
  #more
  #region
  #downloads
  /** @type {number | null} */
  #expected = null
  #isDownloading = false
  /** @type {string | null} */
  #next = null
  /** @type {Map<string, Entry>} */
  #entries = new Map()

  /** @param {HTMLElement} root @param {string} path where more come from, with any filter in its query */
  constructor(root, path) {
    this.#path = path
    this.#rows = must(root, "[data-record-rows]")
    this.#foot = must(root, "[data-records-foot]")
    this.#none = must(root, "[data-records-none]")
    this.#more = must(root, "[data-records-more]")
    this.#region = must(root, ".table-scroll")
    this.#downloads = must(root.closest(".card") ?? root, "[data-downloads]")
    for (const link of this.#downloads.querySelectorAll("a")) {
      link.href = exportPath(path, link.dataset.download ?? "")
      link.addEventListener("click", (press) => this.#download(press, link))
    }
    if (localStorage.getItem(BEGUN)) forgetDownloads()
    this.#more.addEventListener("click", () => this.#loadMore())
    this.#rows.addEventListener("click", (event) => this.#press(/** @type {Element} */ (event.target)))
  }

  /** The entry whose row holds the element. @param {Element} inside @returns {Entry | undefined} */
  entryOf(inside) {
    return this.#entries.get(/** @type {HTMLElement | null} */ (inside.closest("[data-id]"))?.dataset.id ?? "")
  }

  /** Says how many a file will hold, where that is known. @param {number | null} count */
  expect(count) {
    this.#expected = count
    const expected = must(this.#downloads, "[data-expected]")
    expected.hidden = count === null
    expected.textContent = count === null ? "" : t("js.records.expected", { count: formatNumber(count) })
  }

  /** @param {Page} page */
  append({ records, next }) {
    this.#next = next
    for (const entry of records) this.#entries.set(entry.id, entry)
    this.#rows.append(...records.map(recordRow))
    this.#foot.hidden = !next
    this.#none.hidden = this.#entries.size > 0
    this.#downloads.hidden = this.#entries.size === 0
  }

  /** Draws an entry anew, open as it was. @param {Entry} entry */
  update(entry) {
    this.#entries.set(entry.id, entry)
    const before = must(this.#rows, `[data-id="${entry.id}"]`)
    const after = recordRow(entry)
    before.replaceWith(after)
    if (!must(before, "[data-more]").hidden) this.#toggle(after)
    must(after, "[data-toggle]").focus()
  }

  /** All of the line opens, except where a link is pressed or text is being marked. @param {Element} target */
  #press(target) {
    const row = target.closest("[data-line]")?.parentElement
    if (!row || target.closest("a") || (!target.closest("[data-toggle]") && String(getSelection()))) return
    this.#toggle(row)
  }

  /** Details are made when they are first opened. @param {HTMLElement} row */
  #toggle(row) {
    const entry = this.entryOf(row)
    const more = must(row, "[data-more]")
    if (entry && more.hidden) fillDetails(row, entry)
    more.hidden = !more.hidden
    must(row, "[data-toggle]").setAttribute("aria-expanded", String(!more.hidden))
  }

  /**
   * What is pressed together with a key is the browser's own affair.
   * @param {MouseEvent} press @param {HTMLAnchorElement} link
   */
  async #download(press, link) {
    if (press.ctrlKey || press.metaKey || press.shiftKey || press.altKey) return
    press.preventDefault()
    if (this.#isDownloading) return
    this.#isDownloading = true
    try {
      const { download } = await loaded(import("app/download.js"))
      await download(this.#downloads, link, this.#expected)
    } catch (error) {
      tell(error)
    } finally {
      this.#isDownloading = false
    }
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
      tell(error)
    } finally {
      this.#more.removeAttribute("aria-busy")
    }
  }
}

/** What was under way in a tab that was closed: nobody waits for it. */
async function forgetDownloads() {
  try {
    const { removeLeftovers } = await loaded(import("app/disk-file.js"))
    await removeLeftovers()
  } catch (error) {
    console.warn(error) // the next visit tries again
  }
}

/** Where all that fits comes as a file, with the same filter. @param {string} path @param {string} format */
function exportPath(path, format) {
  const [folder = "", query = ""] = path.split("?")
  return withParameter(`${folder}/export?${query}`, "format", format)
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
    tokens: t("js.records.tokens", { count: formatNumber(entry.total_tokens) }),
    ...durationWords(entry),
    outcome: t(entry.kind === "refund" ? "js.records.kind_refund" : `js.dashboard.outcome_${entry.outcome}`),
    provenance: t(`js.records.provenance_${entry.provenance}`),
    ...costWords(entry),
  })
  row.dataset.id = entry.id
  slot(row, "time").setAttribute("datetime", entry.created_at)
  slot(row, "outcome").className = entry.kind === "refund" ? "badge" : OUTCOME_BADGES[entry.outcome]
  slot(row, "provenance").className = PROVENANCE_BADGES[entry.provenance]
  slot(row, "provenance").hidden = entry.kind === "refund"
  must(row, "[data-toggle]").setAttribute("aria-label", t("js.records.details_of", { time: formatDateTime(entry.created_at), model: entry.model }))
  const acts = row.querySelector('[data-slot="acts"]')
  if (acts instanceof HTMLElement) acts.hidden = entry.refunded_at !== null
  if (entry.user) nameUser(row, entry.user)
  return row
}

/** @param {Entry} entry */
function modelNote({ model, actual_model: actual, provider }) {
  const other = actual && actual !== model ? t("js.dashboard.answered_by", { model: actual }) : ""
  return [provider, other].filter(Boolean).join(" · ")
}

/** A refund takes no time. @param {Entry} entry */
function durationWords({ kind, duration_ms: duration, first_token_ms: first }) {
  if (kind === "refund") return { duration: "–", "duration-note": "" }
  const note = first === null ? "" : t("js.dashboard.first_token", { seconds: formatSeconds(first) })
  return { duration: formatSeconds(duration), "duration-note": note }
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
