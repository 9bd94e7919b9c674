// @ts-check
/** How much of its model's context window the conversation on the page takes, and what the next message costs before its answer. */
import { api } from "app/api.js"
import { formatCompact, formatMoney, formatNumber, formatPercent, sentence, t } from "app/i18n.js"
import { announce, must, placeBeside, slot } from "app/ui.js"

const LOW = 0.8 // of the window, from where it is told without being asked

/** @typedef {"open" | "low" | "full"} State */

/** @param {number} tokens @param {number | null} window @returns {State} */
export function stateOf(tokens, window) {
  if (!window || tokens < LOW * window) return "open"
  return tokens < window ? "low" : "full"
}

/** "12,300 of 128,000 tokens (9.6%)" @param {number} tokens @param {number | null} window */
export function takenWords(tokens, window) {
  const count = formatNumber(tokens)
  return window ? t("js.context_of", { tokens: count, window: formatNumber(window), share: formatPercent(tokens / window) }) : t("js.context_tokens", { tokens: count })
}

/** @param {{currency: string | null, micros: number | null, cached_micros: number | null}} cost */
export function costWords({ currency, micros, cached_micros: cached }) {
  if (currency === null || micros === null || cached === null) return ""
  return t("js.context_cost", { cost: formatMoney(micros, currency), cached: formatMoney(cached, currency) })
}

export class ContextMeter {
  #composer
  #button
  #note
  #panel
  /** @type {import("app/chat/answer.js").Usage | null} of the last answer that has ended */
  #usage = null
  #asked = 0
  #drawn = 0 // tokens of what was attached then

  /** @param {HTMLElement} root @param {import("app/chat/composer.js").Composer} composer who knows the model that answers next */
  constructor(root, composer) {
    this.#composer = composer
    this.#button = must(root, "[data-context]")
    this.#note = must(root, "[data-context-note]")
    this.#panel = must(root, "[data-context-about]")
    composer.addEventListener("modelchange", () => this.#draw())
    composer.addEventListener("changed", () => this.#attached === this.#drawn || this.#draw())
    this.#button.addEventListener("click", () => this.#open())
    this.#panel.addEventListener("toggle", (event) => {
      this.#button.setAttribute("aria-expanded", String(/** @type {ToggleEvent} */ (event).newState === "open"))
    })
    hideWhenMoved(this.#panel, () => this.#button)
  }

  /** @param {import("app/chat/answer.js").Usage | null} usage what the last answer on the page took */
  show(usage) {
    this.#usage = usage
    this.#draw()
  }

  /** With what is attached to the next message. */
  get #tokens() {
    return (this.#usage?.context_tokens ?? 0) + this.#attached
  }

  get #attached() {
    return this.#composer.attached?.tokensIn(this.#composer.place) ?? 0
  }

  get #model() {
    return this.#composer.models.find(({ id }) => id === this.#composer.choice.model)
  }

  #draw() {
    this.#drawn = this.#attached
    const [tokens, window] = [this.#tokens, this.#model?.context_tokens ?? null]
    const state = stateOf(tokens, window)
    this.#button.hidden = !tokens
    if (!tokens) this.#panel.hidePopover()
    this.#button.dataset.state = state
    this.#button.style.setProperty("--share", window ? `${Math.min(1, tokens / window) * 360}deg` : "0deg")
    this.#button.ariaLabel = t("js.context_about", { taken: takenWords(tokens, window) })
    slot(this.#button, "ring").hidden = !window
    slot(this.#button, "share").textContent = window ? formatPercent(tokens / window) : formatCompact(tokens)
    this.#warn(state, window ? formatPercent(tokens / window) : "")
  }

  /** @param {State} state @param {string} share */
  #warn(state, share) {
    const before = this.#note.dataset.state
    this.#note.hidden = state === "open"
    this.#note.dataset.state = state
    const words = state === "open" ? "" : t(`js.context_${state}`, { share })
    slot(this.#note, "text").textContent = words
    if (before && before !== state && words) announce(words)
  }

  /** The cost is that of this hour: it is asked for when somebody wants to know. */
  async #open() {
    const [model, tokens, asked] = [this.#model, this.#tokens, ++this.#asked]
    slot(this.#panel, "taken").textContent = takenWords(tokens, model?.context_tokens ?? null)
    slot(this.#panel, "estimated").hidden = this.#usage?.source !== "estimated"
    slot(this.#panel, "attached").hidden = !this.#attached
    slot(this.#panel, "attached").textContent = t("js.files.context", { tokens: formatNumber(this.#attached) })
    this.#say("")
    this.#panel.showPopover()
    placeBeside(this.#panel, this.#button)
    this.#panel.focus({ preventScroll: true })
    const path = model && `/api/models/input-cost?${new URLSearchParams({ model: model.id, tokens: String(tokens) })}`
    const words = path ? await api.get(path).then(costWords, sentence) : ""
    if (asked === this.#asked) this.#say(words)
  }

  /** @param {string} words about the cost */
  #say(words) {
    const place = slot(this.#panel, "cost")
    place.hidden = !words
    place.textContent = words
    if (this.#panel.matches(":popover-open")) placeBeside(this.#panel, this.#button)
  }
}

/** Hides what stands beside a button when that is scrolled away. @param {HTMLElement} panel @param {() => HTMLElement | null | undefined} button */
export function hideWhenMoved(panel, button) {
  const isMoved = (/** @type {EventTarget | null} */ by) => by instanceof Node && by.contains(button() ?? null)
  addEventListener("scroll", ({ target }) => isMoved(target) && panel.hidePopover(), { capture: true, passive: true })
}
