// @ts-check
/** How much of its model's context window the conversation on the page takes, and what the next message costs before its answer. */
import { api } from "app/api.js"
import { formatCompact, formatMoney, formatNumber, formatPercent, sentence, t } from "app/i18n.js"
import { announce, must, placeBeside, slot } from "app/ui.js"

const LOW = 0.8 // of the window, from where it is told without being asked
const MUCH = 500 // tokens: from there on what is written in a new chat is told
const PAUSE = 400 // ms: what is typed meanwhile is counted at once
const [OF_ASCII, OF_OTHERS] = [0.3, 0.6] // tokens for a character, as the server estimates them (`domain/events.py`)

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

/** "9.6%", or "12K tokens" where nobody knows the window @param {number} tokens @param {number | null} window */
export function shareWords(tokens, window) {
  return window ? formatPercent(tokens / window) : t("js.context_short", { tokens: formatCompact(tokens) })
}

/** About how many tokens some words are, by the server's own estimate. @param {string} text */
export function tokensOf(text) {
  let [ascii, second] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x80) ascii++
    else if (code >= 0xdc00 && code < 0xe000) second++ // half of a character that has two
  }
  return Math.ceil(ascii * OF_ASCII + (text.length - ascii - second) * OF_OTHERS)
}

/** @param {{currency: string | null, micros: number | null, cached_micros: number | null}} cost @param {boolean} [isNew] nobody can remember anything of it */
export function costWords({ currency, micros, cached_micros: cached }, isNew = false) {
  if (currency === null || micros === null || cached === null) return ""
  if (isNew) return t("js.context_cost_new", { cost: formatMoney(micros, currency) })
  return t("js.context_cost", { cost: formatMoney(micros, currency), cached: formatMoney(cached, currency) })
}

export class ContextMeter {
  #composer
  #button
  #note
  #panel
  #text
  /** @type {import("app/chat/answer.js").Usage | null} of the last answer that has ended */
  #usage = null
  #asked = 0
  #written = 0 // tokens of what is in the text area
  #pause = 0

  /** @param {HTMLElement} root @param {import("app/chat/composer.js").Composer} composer who knows the model that answers next */
  constructor(root, composer) {
    this.#composer = composer
    this.#button = must(root, "[data-context]")
    this.#note = must(root, "[data-context-note]")
    this.#panel = must(root, "[data-context-about]")
    this.#text = /** @type {HTMLTextAreaElement} */ (must(root, "[data-composer-text]"))
    composer.addEventListener("modelchange", () => this.#draw())
    composer.addEventListener("changed", () => this.#changed())
    this.#button.addEventListener("click", () => this.#open())
    this.#panel.addEventListener("toggle", (event) => {
      this.#button.setAttribute("aria-expanded", String(/** @type {ToggleEvent} */ (event).newState === "open"))
    })
    hideWhenMoved(this.#panel, () => this.#button)
    this.#changed()
  }

  /** @param {import("app/chat/answer.js").Usage | null} usage what the last answer on the page took */
  show(usage) {
    this.#usage = usage
    this.#count()
  }

  /** A long text is not counted with each key; one that has been sent is gone at once. */
  #changed() {
    this.#makeRoom()
    if (!this.#text.value) return this.#count()
    this.#pause ||= setTimeout(() => this.#count(), PAUSE)
  }

  #count() {
    clearTimeout(this.#pause)
    this.#pause = 0
    this.#written = tokensOf(this.#text.value.trim())
    this.#draw()
  }

  /** With what is written and attached for the next message. */
  get #tokens() {
    return (this.#usage?.context_tokens ?? 0) + this.#next
  }

  get #next() {
    return this.#attached + this.#written + this.#instructions
  }

  /** Of the assistant, where nothing was answered yet: after that they are among what was taken. */
  get #instructions() {
    return this.#usage ? 0 : (this.#composer.assistant?.tokens ?? 0)
  }

  get #attached() {
    return this.#composer.attached?.tokensIn(this.#composer.place) ?? 0
  }

  get #model() {
    return this.#composer.models.find(({ id }) => id === this.#composer.choice.model)
  }

  /** What is left of the window says how a long document is told. */
  #makeRoom() {
    const window = this.#model?.context_tokens ?? null
    const left = window && window - (this.#usage?.context_tokens ?? 0) - this.#instructions
    this.#composer.attached?.fitInto({ window, left })
  }

  #draw() {
    this.#makeRoom()
    const [tokens, window] = [this.#tokens, this.#model?.context_tokens ?? null]
    const state = stateOf(tokens, window)
    this.#button.hidden = tokens === this.#written && tokens < MUCH // of a few words alone
    if (this.#button.hidden) this.#panel.hidePopover()
    this.#button.dataset.state = state
    this.#button.style.setProperty("--share", window ? `${Math.min(1, tokens / window) * 360}deg` : "0deg")
    this.#button.ariaLabel = t("js.context_about", { taken: takenWords(tokens, window) })
    slot(this.#button, "ring").hidden = !window
    slot(this.#button, "share").textContent = shareWords(tokens, window)
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
    this.#count()
    const [model, tokens, asked] = [this.#model, this.#tokens, ++this.#asked]
    slot(this.#panel, "taken").textContent = takenWords(tokens, model?.context_tokens ?? null)
    slot(this.#panel, "estimated").hidden = this.#usage?.source !== "estimated"
    slot(this.#panel, "written").hidden = !this.#written
    slot(this.#panel, "written").textContent = t("js.context_written", { tokens: formatNumber(this.#written) })
    slot(this.#panel, "attached").hidden = !this.#attached
    slot(this.#panel, "attached").textContent = t("js.files.context", { tokens: formatNumber(this.#attached) })
    this.#say("")
    this.#panel.showPopover()
    placeBeside(this.#panel, this.#button)
    this.#panel.focus({ preventScroll: true })
    const [isNew, about] = [tokens === this.#next, { tokens: String(tokens), new: String(this.#next) }]
    const path = model && `/api/models/input-cost?${new URLSearchParams({ model: model.id, ...about })}`
    const words = path ? await api.get(path).then((cost) => costWords(cost, isNew), sentence) : ""
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
