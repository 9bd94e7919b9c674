// @ts-check
/** The files that are attached, above the text: how far each is, what it adds and how it is told, or why it was refused. Emits "remove", "again" and "told" with a key. */
import { isPicture, mayComeYet } from "app/chat/attached-files.js"
import { addressOf, chip, nameButton, showThumbnail, sizeWords, toldWords } from "app/chat/file-list.js"
import { formatNumber, formatPercent, sentence, t } from "app/i18n.js"
import { must, slot } from "app/ui.js"

/** @typedef {import("app/chat/attached-files.js").Attached} Attached */
/** @typedef {import("app/chat/telling.js").Telling} Telling */

const SHORT = 2_000 // tokens, from where it is offered to tell less of one that has no pages

export class FileChips extends EventTarget {
  #list
  /** @type {Map<string, HTMLElement>} */
  #items = new Map()
  /** Addresses of what this page has of them. @type {Map<string, string>} */
  #addresses = new Map()
  #tellings = /** @type {Map<Attached, Telling>} */ (new Map())

  /** @param {HTMLElement} list */
  constructor(list) {
    super()
    this.#list = list
    list.addEventListener("click", ({ target }) => this.#pressed(/** @type {Element} */ (target).closest("button")))
  }

  /** Those that are there already stay, with the focus. @param {Attached[]} files @param {Map<Attached, Telling>} tellings */
  draw(files, tellings) {
    this.#tellings = tellings
    const keys = new Set(files.map(({ key }) => key))
    for (const [key, item] of this.#items) if (!keys.has(key)) this.#drop(key, item)
    const before = this.#items.size
    for (const [index, file] of files.entries()) {
      const item = this.#items.get(file.key) ?? this.#made(file)
      if (this.#list.children[index] !== item) this.#list.insertBefore(item, this.#list.children[index] ?? null)
      this.show(file)
    }
    this.#list.hidden = !files.length
    if (this.#items.size > before) this.#list.scrollTop = this.#list.scrollHeight // what was added is seen
  }

  /** How it is with one of them. @param {Attached} file */
  show(file) {
    const item = this.#items.get(file.key)
    if (!item) return
    const { name, state, share, error } = file
    const isComing = state === "waiting" || state === "coming"
    const bar = /** @type {HTMLProgressElement} */ (must(item, "progress"))
    bar.hidden = !isComing
    bar.value = share
    bar.ariaLabel = t("js.files.progress", { name })
    item.dataset.state = state
    slot(item, "name").textContent = name
    slot(item, "about").textContent = aboutWords(file, this.#tellings.get(file))
    this.#showTelling(must(item, "[data-told]"), file)
    must(item, "[data-again]").hidden = state !== "refused" || !mayComeYet(error) || !file.file
    must(item, "[data-again]").ariaLabel = t("js.files.again", { name })
    nameButton(must(item, "[data-remove]"), t(isComing ? "js.files.cancel" : "js.files.remove", { name }))
  }

  /** A button that says how it is told. @param {HTMLElement} button @param {Attached} file */
  #showTelling(button, file) {
    const [telling, pages] = [this.#tellings.get(file), file.facts?.pages ?? 0]
    const isShort = telling?.how === "whole" && pages < 2 && telling.tokens < SHORT
    button.hidden = !telling || isPicture(file) || isShort
    if (!telling || button.hidden) return
    const words = toldWords({ told: telling.how, told_pages: telling.pages }) || t("js.files.told_whole")
    slot(button, "how").textContent = words
    nameButton(button, t("js.files.told", { name: file.name, how: words }))
  }

  /** @param {Attached} file */
  #made(file) {
    const item = chip(file)
    item.dataset.key = file.key
    this.#items.set(file.key, item)
    if (!isPicture(file)) return item
    const own = file.file && URL.createObjectURL(file.file)
    if (own) this.#addresses.set(file.key, own)
    showThumbnail(item, own ?? addressOf(file.facts?.id ?? ""))
    return item
  }

  /** What had the focus gives it to the next one, or the one before. @param {string} key @param {HTMLElement} item */
  #drop(key, item) {
    const next = item.nextElementSibling ?? item.previousElementSibling
    const had = item.contains(document.activeElement)
    item.remove()
    this.#items.delete(key)
    URL.revokeObjectURL(this.#addresses.get(key) ?? "")
    this.#addresses.delete(key)
    if (had && next) must(next, "[data-remove]").focus()
    else if (had) this.dispatchEvent(new CustomEvent("emptied"))
  }

  /** @param {HTMLButtonElement | null} button */
  #pressed(button) {
    const detail = { key: button?.closest("[data-key]")?.getAttribute("data-key") ?? "" }
    if (button && "remove" in button.dataset) this.dispatchEvent(new CustomEvent("remove", { detail }))
    if (button && "told" in button.dataset) this.dispatchEvent(new CustomEvent("told", { detail }))
    if (button && "again" in button.dataset) this.dispatchEvent(new CustomEvent("again", { detail }))
  }
}

/** @param {Attached} file @param {Telling} [telling] */
function aboutWords({ state, share, bytes, facts, error }, telling) {
  if (state === "refused") return sentence(error)
  const size = sizeWords(bytes)
  const tokens = telling?.tokens ?? facts?.tokens
  if (facts) return [size, ...(tokens ? [t("js.files.tokens", { count: formatNumber(tokens) })] : []), ...omitted(facts)].join(" · ")
  return `${size} · ${state === "coming" && share === 1 ? t("js.files.reading") : formatPercent(Math.floor(share * 100) / 100)}`
}

/** @param {import("app/chat/file-upload.js").Facts} facts */
const omitted = ({ omits }) => (omits ? [t("js.files.omits")] : [])
