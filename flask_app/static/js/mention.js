// @ts-check
/** Choosing who answers in the text itself: @ opens a list of the models. Loaded with the first @. */
import { t } from "app/i18n"
import { announce, fill, fromTemplate, must } from "app/ui"
import { composes, mentionIn, putInto } from "app/writing"

const GAP = 8 // pixels between the list, the text and the edge of the window

/** @typedef {{id: string, name: string, label: string}} Named */

export class Mention {
  #area
  #select
  #list
  #composer
  /** The @ whose list was closed: it stays so. */
  #closed = -1
  #said = 0

  /** @param {HTMLElement} form @param {import("app/composer").Composer} composer who knows the models */
  constructor(form, composer) {
    this.#area = /** @type {HTMLTextAreaElement} */ (must(form, "[data-composer-text]"))
    this.#select = /** @type {HTMLSelectElement} */ (must(form, "[data-model]"))
    this.#list = must(form, "[data-mention]")
    this.#composer = composer
    form.addEventListener("keydown", (event) => this.#pressed(event), { capture: true }) // before the key sends
    this.#area.addEventListener("input", () => this.#look())
    this.#area.addEventListener("blur", () => this.#hide())
    document.addEventListener("selectionchange", () => this.#isOpen && this.#look())
    addEventListener("resize", () => this.#isOpen && this.#place())
    for (const left of ["send", "wait", "leaving"]) composer.addEventListener(left, () => this.#forget())
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()) // the text keeps the focus
    this.#list.addEventListener("click", (event) => this.#choose(/** @type {Element} */ (event.target).closest("li")))
    this.#look()
  }

  get #isOpen() {
    return this.#list.matches(":popover-open")
  }

  get #active() {
    return this.#list.querySelector('[aria-selected="true"]')
  }

  /** Shows the models that fit what is written after the @, the first one to be chosen. */
  #look() {
    const mention = document.activeElement === this.#area ? mentionIn(this.#area) : null
    if (mention?.from !== this.#closed) this.#closed = -1
    const found = mention && this.#closed < 0 ? fitting(this.#composer.models, mention.words) : []
    if (!found.length) return this.#hide()
    const ids = found.map(({ id }) => id)
    if (!this.#isOpen || String(ids) !== String(this.#shownIds())) this.#draw(found)
  }

  #shownIds() {
    return [...this.#list.children].map((item) => item.getAttribute("data-id"))
  }

  /** @param {Named[]} models */
  #draw(models) {
    this.#list.replaceChildren(...models.map((model, index) => drawn(model, index, model.id === this.#select.value)))
    this.#list.showPopover()
    this.#place()
    for (const [name, value] of [["aria-haspopup", "listbox"], ["aria-autocomplete", "list"], ["aria-controls", this.#list.id]]) {
      this.#area.setAttribute(name ?? "", value ?? "")
    }
    this.#activate(this.#list.firstElementChild)
    if (models.length !== this.#said) announce(t("js.models_offered", { count: models.length }))
    this.#said = models.length
  }

  #hide() {
    if (!this.#isOpen) return
    this.#list.hidePopover()
    this.#said = 0
    for (const name of ["aria-haspopup", "aria-autocomplete", "aria-controls", "aria-activedescendant"]) this.#area.removeAttribute(name)
  }

  /** The text is another one. */
  #forget() {
    this.#closed = -1
    this.#hide()
  }

  /** Above the text, where no keyboard of glass covers it. */
  #place() {
    const { left, top } = must(document, ".composer__box").getBoundingClientRect()
    this.#list.style.left = `${left}px`
    this.#list.style.bottom = `${innerHeight - top + GAP}px`
    this.#list.style.setProperty("--room", `${top - 2 * GAP}px`)
  }

  /** @param {Element | null | undefined} item */
  #activate(item) {
    this.#active?.setAttribute("aria-selected", "false")
    item?.setAttribute("aria-selected", "true")
    item?.scrollIntoView({ block: "nearest" })
    this.#area.setAttribute("aria-activedescendant", item?.id ?? "")
  }

  /** Keys that an input method uses are its own. @param {KeyboardEvent} press */
  #pressed(press) {
    if (!this.#isOpen || press.target !== this.#area || composes(press) || press.shiftKey || press.altKey || press.ctrlKey || press.metaKey) return
    if (!mentionIn(this.#area)) return this.#hide()
    const items = this.#list
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowDown: () => this.#activate(this.#active?.nextElementSibling ?? items.firstElementChild),
      ArrowUp: () => this.#activate(this.#active?.previousElementSibling ?? items.lastElementChild),
      Enter: () => this.#choose(this.#active),
      Tab: () => this.#choose(this.#active),
      Escape: () => this.#close(),
    }
    if (!acts[press.key]) return
    press.preventDefault()
    press.stopPropagation()
    acts[press.key]?.()
  }

  #close() {
    this.#closed = mentionIn(this.#area)?.from ?? -1
    this.#hide()
  }

  /** The model's own field is told, and the @ with its word leaves the text. @param {Element | null} item */
  #choose(item) {
    const mention = mentionIn(this.#area)
    if (!item || !mention) return
    this.#hide()
    this.#area.setSelectionRange(...wordIn(this.#area.value, mention))
    putInto(this.#area, "")
    this.#select.value = item.getAttribute("data-id") ?? ""
    this.#select.dispatchEvent(new Event("change", { bubbles: true }))
    announce(t("js.model_chosen", { name: this.#select.selectedOptions[0]?.text ?? "" }))
  }
}

/**
 * Those whose label or name holds what is written, blanks and signs aside; those that begin with it come first. Signs alone fit none.
 * @template {Named} T @param {T[]} models @param {string} words
 */
export function fitting(models, words) {
  const sought = bare(words)
  if (words && !sought) return []
  const names = (/** @type {Named} */ { label, name }) => [bare(label), bare(name)]
  const begins = (/** @type {Named} */ model) => names(model).some((name) => name.startsWith(sought))
  const found = models.filter((model) => names(model).some((name) => name.includes(sought)))
  return [...found.filter(begins), ...found.filter((model) => !begins(model))]
}

/** @param {string} text */
const bare = (text) => text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")

/** What leaves the text: the word, and one of two blanks around it. @param {string} text @param {{from: number, to: number}} mention @returns {[number, number]} */
export function wordIn(text, { from, to }) {
  const isBetween = from === 0 || text[from - 1] === "\n" || text[from - 1] === " "
  return [from, isBetween && text[to] === " " ? to + 1 : to]
}

/** @param {Named} model @param {number} index @param {boolean} isChosen */
function drawn({ id, name, label }, index, isChosen) {
  const item = fromTemplate("mention-template")
  item.id = `mention-${index}`
  item.dataset.id = id
  item.classList.toggle("mention__model--chosen", isChosen)
  fill(item, { label, name: label.includes(name) ? "" : name, chosen: isChosen ? t("js.model_is_chosen") : "" })
  return item
}
