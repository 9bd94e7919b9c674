// @ts-check
/** Which model an assistant has, and how it is to think with it: as usual, or as that model can. */
import { asAsked, waysOf } from "app/api.js"
import { t } from "app/i18n.js"
import { must } from "app/ui.js"

/** @typedef {{name: string, label: string, thinking: boolean, efforts: string[]}} Model */

export class ModelChoice {
  #models
  #model
  #thinking

  /** @param {HTMLFormElement} form @param {Model[]} models */
  constructor(form, models) {
    this.#models = models.filter(({ name }, at) => models.findIndex((each) => each.name === name) === at) // of several providers
    this.#model = /** @type {HTMLSelectElement} */ (must(form, "[name=model]"))
    this.#thinking = /** @type {HTMLSelectElement} */ (must(form, "[name=thinking]"))
    this.#model.append(...this.#models.map(({ name, label }) => new Option(label || name, name)))
    this.#model.addEventListener("change", () => this.#offerWays(this.#thinking.value))
  }

  /** Its name. */
  get model() {
    return this.#model.value || null
  }

  get thinking() {
    return asAsked(this.#thinking.value) ?? null
  }

  /** What of them a list says. @param {string | null} model @param {boolean | string | null} thinking */
  words(model, thinking) {
    const label = this.#models.find(({ name }) => name === model)?.label || model || ""
    return { model: label, thinking: thinking === null ? "" : t(`js.think_${asWay(thinking)}`) }
  }

  /** One that is offered no more is kept. @param {string | null} model @param {boolean | string | null} thinking */
  set(model, thinking) {
    this.#model.querySelector("[data-gone]")?.remove()
    if (model && !this.#models.some(({ name }) => name === model)) {
      const gone = new Option(t("js.assistants.model_gone", { name: model }), model)
      gone.dataset.gone = ""
      this.#model.append(gone)
    }
    this.#model.value = model ?? ""
    this.#offerWays(thinking === null ? "" : asWay(thinking), { isKept: true })
  }

  /** @param {string} chosen stays, where the model knows it or it `isKept` @param {{isKept?: boolean}} [options] */
  #offerWays(chosen, { isKept = false } = {}) {
    const model = this.#models.find(({ name }) => name === this.#model.value)
    const known = model ? waysOf(model) : ["off", "on", chosen]
    const ways = [...new Set([...known, ...(isKept ? [chosen] : [])])].filter(Boolean)
    const usual = /** @type {HTMLOptionElement} */ (this.#thinking.options[0])
    this.#thinking.replaceChildren(usual, ...ways.map((way) => new Option(t(`js.think_${way}`), way)))
    this.#thinking.value = ways.includes(chosen) ? chosen : ""
  }
}

/** @param {boolean | string} thinking */
const asWay = (thinking) => (thinking === true ? "on" : thinking || "off")
