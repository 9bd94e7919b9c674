// @ts-check
/** The menu at an answer's foot: copy it without Markdown, or have another model answer. One for all answers. And reading one aloud. */
import { loaded } from "app/api.js"
import { hideWhenMoved } from "app/chat/context-meter.js"
import { t } from "app/i18n.js"
import { withSourceList } from "app/markdown/citations.js"
import { copyText } from "app/shell.js"
import { enterMenu, fromTemplate, must, placeBeside, slot, tell, toast, useMenuKeys } from "app/ui.js"

/** @typedef {import("app/chat/answer.js").Answer} Answer */

export class AnswerMenu {
  #menu = must(document, "[data-answer-menu]")
  #thread
  #composer
  /** @type {{message: Answer, button: HTMLElement} | null} */
  #opened = null

  /** @param {import("app/chat/thread.js").Thread} thread @param {import("app/chat/composer.js").Composer} composer who knows the models */
  constructor(thread, composer) {
    this.#thread = thread
    this.#composer = composer
    thread.addEventListener("more", (event) => this.#open(/** @type {CustomEvent} */ (event).detail))
    thread.addEventListener("about", (event) => showDetails(/** @type {CustomEvent} */ (event).detail).catch(tell))
    thread.addEventListener("read", (event) => read(/** @type {CustomEvent} */ (event).detail).catch(tell))
    if (!("speechSynthesis" in globalThis)) must(answerTemplate().content, "[data-read]").remove()
    useMenuKeys(this.#menu, { button: () => this.#opened?.button ?? null, close: () => this.#menu.hidePopover() })
    this.#menu.addEventListener("click", (event) => this.#choose(/** @type {Element} */ (event.target)))
    this.#menu.addEventListener("toggle", (event) => {
      const open = /** @type {ToggleEvent} */ (event).newState === "open"
      this.#opened?.button.setAttribute("aria-expanded", String(open))
    })
    hideWhenMoved(this.#menu, () => this.#opened?.button)
  }

  /** @param {{message: Answer, button: HTMLElement}} pressed */
  #open(pressed) {
    this.#opened = pressed
    const others = this.#composer.models.filter(({ id, name }) => ![id, name].includes(pressed.message.model ?? ""))
    slot(this.#menu, "models").replaceChildren(...others.map(modelItem))
    must(this.#menu, "[data-models]").hidden = others.length === 0
    this.#menu.showPopover()
    placeBeside(this.#menu, pressed.button)
    enterMenu(this.#menu)
  }

  /** @param {Element} target */
  #choose(target) {
    const item = target.closest("button")
    if (!item || !this.#opened) return
    const { message, button } = this.#opened
    this.#menu.hidePopover()
    button.focus({ preventScroll: true })
    if (item.value) this.#thread.dispatchEvent(new CustomEvent("regenerate", { detail: { message, model: item.value } }))
    if ("copyPlain" in item.dataset) copyPlain(message).catch(tell)
  }
}

/** @param {Answer} answer */
async function copyPlain(answer) {
  const { plainText } = await loaded(import("app/chat/plain-text.js"))
  const text = withSourceList(plainText(answer.drawn), answer.sources, t("js.web_list"), { isPlain: true })
  toast(t((await copyText(text)) ? "js.copied" : "js.copy_failed"))
}

/** Safari on phones lets a page speak from within a press only, and afterwards once it has. @param {{message: Answer, button: HTMLElement}} pressed */
async function read({ message, button }) {
  speechSynthesis.speak(new SpeechSynthesisUtterance(""))
  const { readAloud } = await loaded(import("app/chat/read-aloud.js"))
  await readAloud(message, button)
}

function answerTemplate() {
  return /** @type {HTMLTemplateElement} */ (must(document, "#answer-template"))
}

/** @param {{message: Answer, button: HTMLElement}} pressed */
async function showDetails({ message, button }) {
  const { openDetails } = await loaded(import("app/chat/answer-details.js"))
  await openDetails(message, button)
}

/** @param {{id: string, label: string}} model */
function modelItem({ id, label }) {
  const item = /** @type {HTMLButtonElement} */ (fromTemplate("model-item-template", { label }))
  item.value = id
  return item
}
