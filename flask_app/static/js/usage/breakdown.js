// @ts-check
/** Use in a range told apart by one thing or another, with a bar for each part's share of the largest. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { figuresOf } from "app/usage/figures.js"
import { formatNumber, t } from "app/i18n.js"
import { Part } from "app/part.js"
import { withDays } from "app/usage/range.js"
import { fill, fromTemplate, must, slot } from "app/ui.js"

const SHOWN = 10
const CLOCK = "hour"
const TOKEN = "token" // of which only tokens and money are counted
const GROUP = "group" // that each person is in now
const CHANNELS = ["chat", "api", "title", "search", "document"]

/**
 * @typedef {import("app/usage/figures.js").Sum & {key: string, label: string}} Share of an access token without its requests
 * @typedef {object} Source
 * @property {string} path where parts come from; `/export` behind it gives them as a file
 * @property {string} tokens the same for access tokens
 * @property {string[]} linked what a part's records can be searched by
 * @property {(by: string) => void} chosen is told
 */

export class Breakdown {
  #root
  #part
  #days
  #source
  #all
  #by = ""
  /** @type {Share[]} */
  #parts = []

  /** @param {HTMLElement} root @param {import("app/usage/range.js").Days} days @param {Source} source */
  constructor(root, days, source) {
    this.#root = root
    this.#part = new Part(root)
    this.#days = days
    this.#source = source
    this.#all = must(root, "[data-breakdown-all]")
    this.#all.addEventListener("click", () => this.#drawAll())
    must(root, "[data-groupings]").addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button")
      if (button) this.#choose(button)
    })
    const wanted = new URLSearchParams(location.search).get("by")
    const buttons = [...root.querySelectorAll("button[value]")].map((button) => /** @type {HTMLButtonElement} */ (button))
    const [first] = buttons
    const begun = buttons.find(({ value }) => value === wanted)
    if (begun) this.#choose(begun)
    else if (first) this.#show(first)
  }

  /** It stands in the address, for a reload and for another range. @param {HTMLButtonElement} button */
  #choose(button) {
    history.replaceState(history.state, "", withParameter(location.pathname + location.search, "by", button.value))
    this.#source.chosen(button.value)
    this.#show(button)
  }

  /** @param {HTMLButtonElement} button */
  #show(button) {
    const by = button.value
    for (const each of this.#root.querySelectorAll("button[value]")) each.setAttribute("aria-pressed", String(each === button))
    must(this.#root, "[data-csv]").setAttribute("href", this.#path(by, "/export"))
    const ask = () => api.get(this.#path(by))
    this.#part.load(ask, (/** @type {{rows: Share[]}} */ { rows }) => {
      this.#by = by
      this.#parts = rows
      must(this.#root, "[data-breakdown-head]").textContent = button.textContent
      this.#draw(by === CLOCK ? rows.length : SHOWN)
    })
  }

  /** @param {string} by @param {string} [as] a file, or what the page shows */
  #path(by, as = "") {
    if (by === TOKEN) return withDays(`${this.#source.tokens}${as}`, this.#days)
    return withDays(withParameter(`${this.#source.path}${as}`, "by", by), this.#days)
  }

  /** The button goes; the focus moves on to the first row that was not there. */
  #drawAll() {
    this.#draw(Number.POSITIVE_INFINITY)
    const rows = /** @type {NodeListOf<HTMLElement>} */ (this.#root.querySelectorAll('[data-slot="label"]'))
    const next = rows[SHOWN]
    if (next && !next.hasAttribute("href")) next.tabIndex = -1
    next?.focus()
  }

  /** @param {number} shown how many at most */
  #draw(shown) {
    const used = this.#parts.some((part) => part.requests > 0 || part.total_tokens !== 0)
    const parts = used ? this.#parts.slice(0, shown) : []
    const largest = Math.max(1, ...this.#parts.map((part) => part.total_tokens))
    must(this.#root, "[data-breakdown-rows]").replaceChildren(...parts.map((part) => this.#row(part, part.total_tokens / largest)))
    must(this.#root, "[data-breakdown-tokens]").hidden = this.#by !== TOKEN
    must(this.#root, "[data-breakdown-groups]").hidden = this.#by !== GROUP
    must(this.#root, ".table-scroll").hidden = parts.length === 0
    must(this.#root, "[data-breakdown-none]").hidden = parts.length > 0
    must(this.#root, "[data-breakdown-foot]").hidden = !used || parts.length === this.#parts.length
    this.#all.textContent = t("js.stats.show_all", { count: formatNumber(this.#parts.length) })
  }

  /** @param {Share} part @param {number} share of the largest */
  #row(part, share) {
    const row = fromTemplate("breakdown-template")
    const { requests, tokens, cost } = figuresOf(part)
    fill(row, { requests: this.#by === TOKEN ? "–" : requests, tokens, cost, label: this.#nameOf(part) })
    const link = /** @type {HTMLAnchorElement} */ (slot(row, "label"))
    if (part.key && this.#source.linked.includes(this.#by)) {
      link.href = withDays(withParameter("/admin/records", this.#by, part.key), this.#days)
    }
    const bar = /** @type {HTMLProgressElement} */ (slot(row, "share"))
    bar.value = Math.max(0, share)
    return row
  }

  /** @param {Share} part */
  #nameOf({ key, label }) {
    if (this.#by === "channel" && CHANNELS.includes(key)) return t(`js.records.channel_${key}`)
    if (!key) return t(this.#by === "key" ? "js.stats.no_key" : "js.stats.unnamed")
    return label
  }
}
