// @ts-check
/**
 * The messages that wait, below those of the conversation on the page. Emits "back" {key}: one is to be written again, "go": they are
 * not to wait for more, "emptied": the last one is removed, "restored": it waits again, and "unfocused": what had the focus is there
 * no more, and nothing else has it.
 */
import { t } from "app/i18n.js"
import { showFiles } from "app/chat/file-list.js"
import { goesBothWays } from "app/markdown.js"
import { announce, fromTemplate, must, slot } from "app/ui.js"
import { undoable } from "app/undo.js"

export class WaitingMessages extends EventTarget {
  #queue
  #place
  #items
  /** @type {string | null} */
  #conversation = null

  /** @param {HTMLElement} root of the chat @param {import("app/chat/queue.js").Queue} queue */
  constructor(root, queue) {
    super()
    this.#queue = queue
    this.#place = must(root, "[data-waiting]")
    this.#items = must(this.#place, "[data-waiting-items]")
    queue.addEventListener("changed", () => this.#draw())
    this.#place.addEventListener("click", ({ target }) => this.#pressed(/** @type {Element} */ (target).closest("button")))
  }

  /** @param {string | null} conversation */
  show(conversation) {
    this.#conversation = conversation
    this.#draw()
  }

  /** Those that are there already are not touched. */
  #draw() {
    const focused = document.activeElement
    const wasInside = this.#place.contains(focused)
    const waiting = this.#queue.waitingIn(this.#conversation)
    const { isHeld } = this.#queue.of(this.#conversation)
    const keys = waiting.map(({ idempotencyKey }) => idempotencyKey)
    for (const item of [...this.#items.children]) if (!keys.includes(keyOf(item))) item.remove()
    for (const [index, message] of waiting.entries()) {
      const there = this.#items.children[index]
      if (!there || keyOf(there) !== message.idempotencyKey) this.#items.insertBefore(drawn(message), there ?? null)
    }
    this.#place.hidden = !waiting.length
    must(this.#place, "[data-waiting-go]").hidden = !isHeld
    must(this.#place, "[data-waiting-said]").textContent = isHeld ? t("js.waiting_held") : ""
    if (focused instanceof HTMLElement && wasInside && !focused.getClientRects().length) this.#handOn(focused)
  }

  /** Whoever takes something away may give the focus to something else. @param {HTMLElement} gone */
  #handOn(gone) {
    gone.blur() // browsers leave it for a while where it is hidden
    queueMicrotask(() => document.activeElement === document.body && this.dispatchEvent(new CustomEvent("unfocused")))
  }

  /** @param {HTMLButtonElement | null} button */
  #pressed(button) {
    if (!button || !this.#conversation) return
    const key = keyOf(button.closest("[data-key]"))
    if ("waitingGo" in button.dataset) this.dispatchEvent(new CustomEvent("go"))
    if ("waitingBack" in button.dataset) this.dispatchEvent(new CustomEvent("back", { detail: { key } }))
    if ("waitingRemove" in button.dataset) this.#remove(this.#conversation, key)
  }

  /** The focus goes to the one that follows, or the one before. @param {string} conversation @param {string} key */
  #remove(conversation, key) {
    const before = this.#queue.of(conversation)
    const item = this.#itemOf(key)
    const next = item?.nextElementSibling ?? item?.previousElementSibling
    if (next) must(next, "[data-waiting-remove]").focus()
    else this.dispatchEvent(new CustomEvent("emptied"))
    const message = this.#queue.takeOut(conversation, key)
    if (!message) return
    undoable(t("js.waiting_removed"), { undo: () => this.#restore(conversation, message, before) })
  }

  /** The focus goes there, unless the reader is at something else. @param {string} conversation @param {import("app/chat/composer.js").Outgoing} message @param {import("app/chat/queue.js").Line} before */
  #restore(conversation, message, before) {
    this.#queue.putBack(conversation, message, before)
    announce(t("js.waits_again"))
    const item = this.#itemOf(message.idempotencyKey)
    if (item && document.activeElement === document.body) must(item, "[data-waiting-remove]").focus()
    this.dispatchEvent(new CustomEvent("restored"))
  }

  /** @param {string} key */
  #itemOf(key) {
    return this.#items.querySelector(`[data-key="${key}"]`)
  }
}

/** @param {import("app/chat/composer.js").Outgoing} message */
function drawn({ idempotencyKey: key, text, files = [], search, tools = [] }) {
  const item = fromTemplate("waiting-template", { text })
  item.dataset.key = key
  slot(item, "text").classList.toggle("both-ways", goesBothWays(text))
  showFiles(slot(item, "files"), files)
  slot(item, "search").hidden = !search
  slot(item, "tools").hidden = !tools.length
  return item
}

/** @param {Element | null} item */
function keyOf(item) {
  return item?.getAttribute("data-key") ?? ""
}
