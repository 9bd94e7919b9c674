// @ts-check
/** Choosing who answers in the text itself: @ opens a list of the models. Loaded with the first @. */
import { t } from "app/i18n.js"
import { TextList } from "app/chat/text-list.js"
import { announce, fill, fromTemplate, must } from "app/ui.js"
import { putInto } from "app/chat/put-into.js"
import { mentionIn } from "app/chat/writing.js"

/** @typedef {{id: string, name: string, label: string}} Named */

export class Mention {
  #area
  #select

  /** @param {HTMLElement} form @param {import("app/chat/composer.js").Composer} composer who knows the models */
  constructor(form, composer) {
    this.#area = /** @type {HTMLTextAreaElement} */ (must(form, "[data-composer-text]"))
    this.#select = /** @type {HTMLSelectElement} */ (must(form, "[data-model]"))
    new TextList(form, composer, must(form, "[data-mention]"), {
      begun: mentionIn,
      find: (words) => fitting(/** @type {Named[]} */ (composer.models), words),
      draw: (model) => drawn(model, model.id === this.#select.value),
      choose: (model, mention) => this.#choose(model, mention),
      say: (count) => t("js.models_offered", { count }),
    })
  }

  /** The model's own field is told, and the @ with its word leaves the text. @param {Named} model @param {import("app/chat/writing.js").Begun} mention */
  #choose({ id }, mention) {
    this.#area.setSelectionRange(...wordIn(this.#area.value, mention))
    putInto(this.#area, "")
    this.#select.value = id
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

/** @param {Named} model @param {boolean} isChosen */
function drawn({ label, name }, isChosen) {
  const item = fromTemplate("mention-template", { label, name: label.includes(name) ? "" : name })
  item.classList.toggle("mention__model--chosen", isChosen)
  fill(item, { chosen: isChosen ? t("js.model_is_chosen") : "" })
  return item
}
