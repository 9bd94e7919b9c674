// @ts-check
/** The dialog in which a person says how much of a document goes with the question. Loaded with the first. */
import { api } from "app/api.js"
import { pagesIn, tokensOf } from "app/chat/telling.js"
import { formatMoney, formatNumber, t } from "app/i18n.js"
import { must, onSubmit, openDialog, showFormError, slot } from "app/ui.js"

const PAUSE = 300 // ms after a key, before the cost is asked for

/** @typedef {import("app/chat/telling.js").How} How */
/** @typedef {import("app/chat/telling.js").Telling} Telling */
/** @typedef {{facts: import("app/chat/file-upload.js").Facts, telling: Telling, passages: number, model: string | undefined}} Asked `passages`: how many tokens those of a search have */
/** @typedef {(how: How, pages: string) => void} Said */

class TellingDialog {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-telling-form]"))
  #pages = /** @type {HTMLInputElement} */ (must(this.#form, '[name="pages"]'))
  /** @type {Asked | null} */ #asked = null
  /** @type {Said} */ #said = () => {}
  #timer = 0

  constructor() {
    onSubmit(this.#form, async () => this.#submit())
    this.#form.addEventListener("input", () => this.#show())
  }

  /** @param {Asked} asked @param {Said} said */
  ask(asked, said) {
    ;[this.#asked, this.#said] = [asked, said]
    const { facts, telling } = asked
    slot(this.#form, "name").textContent = facts.name
    for (const field of this.#fields) field.checked = field.value === telling.how
    must(this.#form, '[data-how="pages"]').hidden = !facts.pages
    must(this.#form, '[data-how="search"] [data-hint]').hidden = !facts.pages
    must(this.#form, "[data-hint-plain]").hidden = Boolean(facts.pages)
    slot(this.#form, "of").textContent = t("js.files.pages_of", { count: formatNumber(facts.pages ?? 0) })
    this.#pages.value = telling.pages
    openDialog("telling-dialog")
    this.#show()
  }

  get #fields() {
    return [.../** @type {NodeListOf<HTMLInputElement>} */ (this.#form.querySelectorAll('[name="how"]'))]
  }

  get #how() {
    return /** @type {How} */ (this.#fields.find(({ checked }) => checked)?.value ?? "whole")
  }

  get #hasPages() {
    return pagesIn(this.#pages.value, this.#asked?.facts.pages ?? 0) !== null
  }

  #show() {
    slot(this.#form, "pages").hidden = this.#how !== "pages"
    this.#pages.required = this.#how === "pages"
    clearTimeout(this.#timer)
    const asked = this.#asked
    const isKnown = asked && (this.#how !== "pages" || this.#hasPages)
    const tokens = isKnown ? tokensOf({ ...asked.facts, told_pages: this.#pages.value }, this.#how, asked.passages) : 0
    this.#say(tokens ? t("js.files.tokens", { count: formatNumber(tokens) }) : "")
    if (tokens && asked?.model) this.#timer = setTimeout(() => this.#showCost(asked, tokens), PAUSE)
  }

  /** That of this hour. Where it cannot be had, nothing is said of it. @param {Asked} asked @param {number} tokens */
  async #showCost(asked, tokens) {
    const timer = this.#timer
    const about = new URLSearchParams({ model: asked.model ?? "", tokens: String(tokens), new: String(tokens) })
    const { currency, micros } = await api.get(`/api/models/input-cost?${about}`).catch(() => ({ currency: null, micros: null }))
    if (currency === null || micros === null || timer !== this.#timer) return
    this.#say(`${t("js.files.tokens", { count: formatNumber(tokens) })} · ${formatMoney(micros, currency)}`)
  }

  /** @param {string} words */
  #say(words) {
    slot(this.#form, "about").textContent = words
  }

  #submit() {
    const [how, count] = [this.#how, this.#asked?.facts.pages ?? 0]
    if (how === "pages" && !this.#hasPages) return showFormError(this.#form, t("js.files.pages_wrong", { count: formatNumber(count) }))
    clearTimeout(this.#timer)
    this.#form.closest("dialog")?.close()
    this.#said(how, how === "pages" ? this.#pages.value.trim() : "")
  }
}

/** @type {TellingDialog | null} */
let only = null

/** @param {Asked} asked @param {Said} said */
export function askHow(asked, said) {
  only ??= new TellingDialog()
  only.ask(asked, said)
}
