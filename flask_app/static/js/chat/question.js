// @ts-check
/** One question in the thread, and the editor in its place. The element emits "resend" {text, files}. */
import { byteLength, loaded } from "app/api.js"
import { changeableFiles, showFiles } from "app/chat/file-list.js"
import { goesBothWays } from "app/markdown.js"
import { sentenceOfSize, t } from "app/i18n.js"
import { fromTemplate, must, showFormError, slot, tell } from "app/ui.js"
import { showVersion } from "app/chat/versions.js"
import { composes, fitToText, notesOf, sendsMessage } from "app/chat/writing.js"

/** @typedef {import("app/chat/file-list.js").MessageFile} MessageFile */
/** @typedef {import("app/markdown/citations.js").Source} Source */
/** @typedef {{status: "running" | "found" | "empty" | "failed" | "stopped", query: string, error_code?: string | null, sources: (Source & {text: string})[]}} Search of the web, before it was answered */

export class Question {
  element
  /** Absent until it is written down. @type {string | null} */
  id = null
  text
  files
  parentId
  /** @type {HTMLElement | null} */
  #editor = null
  #notes = notesOf("edit")
  #kept = notesOf("staying")
  /** Those that stay with it when it is sent in other words. @type {MessageFile[]} */
  #staying = []

  /** @type {Search | null} */
  search = null

  /** @param {string} text @param {string | null} parentId what it follows @param {MessageFile[]} [files] @param {Search | null} [search] */
  constructor(text, parentId, files = [], search = null) {
    this.text = text
    this.files = files
    this.parentId = parentId
    this.element = fromTemplate("question-template", { text })
    slot(this.element, "text").classList.toggle("both-ways", goesBothWays(text))
    showFiles(slot(this.element, "files"), files)
    must(this.element, "[data-copy-message]").hidden = !text
    if (search) this.showSearch(search)
  }

  /** What citations in its answers lead to. */
  get sources() {
    return this.search?.sources ?? []
  }

  /** How passages of its documents were found. @param {MessageFile["found_by"]} by */
  showFound(by) {
    this.files = this.files.map((file) => (file.told === "search" ? { ...file, found_by: by } : file))
    showFiles(slot(this.element, "files"), this.files)
  }

  /** What came of searching the web for it. @param {Search} search */
  showSearch(search) {
    this.search = search
    const place = slot(this.element, "search")
    place.hidden = search.status === "running"
    this.element.classList.toggle("message--searched", !place.hidden)
    if (!place.hidden) loaded(import("app/chat/sources.js")).then(({ showSources }) => this.search === search && showSources(place, search), tell)
  }

  /** @param {number} at @param {number} count */
  showVersion(at, count) {
    showVersion(this.element, at, count)
  }

  /** Opens its text and files, or what was made of them before, to be changed. @param {string} [text] @param {MessageFile[]} [files] */
  edit(text = this.#notes.read(this.id) || this.text, files = this.#filesLeft()) {
    this.close()
    const editor = (this.#editor = fromTemplate("editor-template"))
    const area = /** @type {HTMLTextAreaElement} */ (must(editor, "textarea"))
    this.element.append(editor)
    this.#showEditor(true)
    area.value = text
    this.#showMissing(slot(editor, "missing"))
    this.#staying = changeableFiles(slot(editor, "files"), files, () => {
      this.#kept.keep(this.id, JSON.stringify(this.#staying.map(({ id }) => id)))
      this.#changed(area)
      area.focus({ preventScroll: true })
    })
    area.addEventListener("input", () => {
      this.#changed(area)
      this.#notes.keep(this.id, area.value)
    })
    area.addEventListener("keydown", (press) => this.#pressed(press, area))
    editor.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#send(area.value)
    })
    must(editor, "[data-cancel]").addEventListener("click", () => this.#cancel())
    this.#changed(area)
    area.focus({ preventScroll: true })
    area.setSelectionRange(text.length, text.length)
    editor.scrollIntoView({ block: "nearest" })
  }

  /** The text is back in the editor's place. */
  close() {
    this.#editor?.remove()
    this.#editor = null
    this.#showEditor(false)
  }

  /** What was made of it is no longer wanted: it was given up, or has been asked. */
  forgetEdit() {
    this.#notes.keep(this.id, "")
    this.#kept.keep(this.id, "")
  }

  /** Those that are here, and were not taken out before. */
  #filesLeft() {
    const kept = this.#kept.read(this.id)
    const here = this.files.filter(({ absent }) => !absent)
    return kept ? here.filter(({ id }) => JSON.parse(kept).includes(id)) : here
  }

  /** @param {HTMLElement} place names those that cannot be sent again */
  #showMissing(place) {
    const names = this.files.filter(({ absent }) => absent).map(({ name }) => name)
    place.hidden = !names.length
    place.textContent = t("js.files.not_sent", { names: names.join(t("js.files.and")) })
  }

  #cancel() {
    this.forgetEdit()
    this.close()
    must(this.element, "[data-edit]").focus({ preventScroll: true })
  }

  /** @param {KeyboardEvent} press @param {HTMLTextAreaElement} area */
  #pressed(press, area) {
    if (press.key === "Escape" && !composes(press)) {
      press.stopPropagation()
      this.#cancel()
    } else if (sendsMessage(press)) {
      press.preventDefault()
      this.#send(area.value)
    }
  }

  /** @param {HTMLTextAreaElement} area */
  #changed(area) {
    const send = /** @type {HTMLButtonElement} */ (must(area.form ?? this.element, '[type="submit"]'))
    send.disabled = !area.value.trim() && !this.#staying.length
    fitToText(area)
  }

  /** @param {string} written */
  #send(written) {
    const text = written.trim()
    const problem = sentenceOfSize(byteLength(text))
    if (this.#editor) showFormError(/** @type {HTMLFormElement} */ (this.#editor), problem)
    if ((!text && !this.#staying.length) || problem) return
    this.element.dispatchEvent(new CustomEvent("resend", { bubbles: true, detail: { text, files: this.#staying } }))
  }

  /** @param {boolean} on */
  #showEditor(on) {
    this.element.classList.toggle("message--editing", on)
    slot(this.element, "text").hidden = on
    slot(this.element, "files").hidden = on || !this.files.length
    slot(this.element, "foot").hidden = on
    slot(this.element, "search").hidden = on || !this.element.classList.contains("message--searched")
  }
}

const TOLD = ["searxng_unreachable", "no_provider_search"] // failures that have words of their own

/** What came of a search, in a line. @param {Search} search */
export function searchWords({ status, query, sources, error_code: code }) {
  if (status === "failed" && TOLD.includes(code ?? "")) return t(`js.web_failed_${code}`)
  if (status !== "running" && !query && sources.every(({ fetched }) => fetched)) return t("js.web_opened", { count: sources.filter(({ fetched }) => fetched === "opened").length, all: sources.length })
  return status === "running" ? "" : t(`js.web_${status}`, { query, count: sources.length })
}
