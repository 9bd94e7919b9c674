// @ts-check
/** One answer in the thread: thoughts, text, what went wrong, and what can be done with it. */
import { loaded } from "app/api.js"
import { GrowingText, showText } from "app/chat/growing-text.js"
import { Calls } from "app/chat/calls.js"
import { formatDuration, formatNumber, t } from "app/i18n.js"
import { withSourceList } from "app/markdown/citations.js"
import { fill, fromTemplate, must, slot, tell } from "app/ui.js"
import { showVersion } from "app/chat/versions.js"

const TOLD_AGAIN = 1000 // milliseconds in which an answer that is told again from its start has come as far as it stood there

/** @typedef {import("app/chat/question.js").Question} Question */
/** @typedef {{total_tokens: number, context_tokens?: number, source: string}} Usage */
/** @typedef {{href: string, label: string}} Way */

export class Answer {
  element = fromTemplate("answer-template")
  /** Absent until it is written down. @type {string | null} */
  id = null
  /** How often it went on by itself. */
  resumed = 0
  /** The newest run on it. @type {string | null} */
  runId = null
  #text = new GrowingText(slot(this.element, "text"), () => this.sources)
  #reasoning = new GrowingText(slot(this.element, "reasoning"), () => this.sources)
  #calls = new Calls(slot(this.element, "calls"), () => this.runId)
  /** @type {string | null} */
  #model = null
  /** How long was thought, in milliseconds, once that is known. @type {number | null} */
  #thinkingTime = null
  /** @type {Usage | null} */
  #usage = null
  /** What its model found itself. @type {import("app/chat/question.js").Search | null} */
  #found = null
  /** @type {import("app/markdown/citations.js").Source[]} */
  #sources = []
  #stored = ""
  #versions = 1
  #isWhole = false

  /** @param {Question} question */
  constructor(question) {
    this.question = question
    const thinking = /** @type {HTMLDetailsElement} */ (slot(this.element, "thinking"))
    thinking.addEventListener("toggle", () => this.element.classList.toggle("message--thinking-open", thinking.open))
  }

  /** In Markdown, as the model wrote it. */
  get text() {
    return this.#text.text || this.#stored
  }

  /** What it may cite: its question's, and what its model found itself. It grows while the answer is written. */
  get sources() {
    this.#sources.splice(0, Infinity, ...this.question.sources, ...(this.#found?.sources ?? []))
    return this.#sources
  }

  /** What its model has found itself by now. @param {import("app/chat/question.js").Search | null} found */
  showFound(found) {
    this.#found = found
    const place = slot(this.element, "found")
    place.hidden = !this.sources.length || !found
    if (found) loaded(import("app/chat/sources.js")).then(({ showSources }) => this.#found === found && showSources(place, found), tell)
  }

  /** The same with the sources that it names. */
  get copied() {
    return withSourceList(this.text, this.sources, t("js.web_list"))
  }

  /** What is drawn of its text. */
  get drawn() {
    return slot(this.element, "text")
  }

  /** Nobody will see it any more: what is still to be set in it is not. */
  drop() {
    this.drawn.replaceChildren()
    slot(this.element, "reasoning").replaceChildren()
    this.#calls.clear()
  }

  /** What it took, once it has ended. */
  get usage() {
    return this.#usage
  }

  get model() {
    return this.#model
  }

  /** The answer as it was saved. @param {{text: string, reasoning: string, thinking_ms: number | null, model: string | null, usage: Usage | null, search?: import("app/chat/question.js").Search | null, calls?: import("app/chat/calls.js").Call[]}} message */
  show({ text, reasoning, thinking_ms: time, model, usage, search = null, calls = [] }) {
    this.showFound(search)
    this.#calls.show(calls)
    this.#stored = text
    this.#model = model
    this.#usage = usage
    showText(slot(this.element, "text"), text, this.sources)
    showText(slot(this.element, "reasoning"), reasoning, this.sources)
    this.#thinkingTime = time
    this.#showThinking(reasoning, this.#timeOfThinking)
  }

  /** From here on the answer comes in pieces, from its first one. @param {string | null} [model] */
  begin(model = null) {
    this.#holdPlace()
    this.element.classList.add("message--written")
    this.#model = model
    this.#stored = ""
    this.#text.clear()
    this.#reasoning.clear()
    this.#thinkingTime = null
    this.#calls.clear()
    this.search("")
    this.#waiting(true)
    this.hideProblem()
    this.#isWhole = false
    this.#showWhatFits()
  }

  /** What stood there comes again: until it has, nothing moves, and the end that is followed stays one. */
  #holdPlace() {
    this.element.style.minHeight = `${this.element.offsetHeight}px`
    setTimeout(() => (this.element.style.minHeight = ""), TOLD_AGAIN)
  }

  /** This is looked up on the web first, in these words; "": it has been. @param {string} words */
  search(words) {
    fill(this.element, { searching: words })
    slot(this.element, "waiting").classList.toggle("message__waiting--searching", words !== "")
  }

  /** A tool is called for it, or that went on. @param {import("app/chat/calls.js").Call} call */
  call(call) {
    this.#endThinking()
    this.#calls.take(call)
    this.#waiting(!this.#calls.isOpen) // else the call says that it waits
  }

  /** @param {string} piece */
  think(piece) {
    this.#waiting(false)
    this.#reasoning.push(piece)
    this.#showThinking(piece, t("js.thinking_now"))
    slot(this.element, "thinking").classList.add("thinking--now")
  }

  /** That was all of the thoughts. @param {number | null} time milliseconds that they took */
  thought(time) {
    this.#thinkingTime = time
    slot(this.element, "thinking-state").textContent = this.#timeOfThinking
    this.#endThinking()
  }

  /** @param {string} piece */
  append(piece) {
    this.#waiting(false)
    this.#endThinking()
    if (piece.trim()) this.#calls.settle()
    this.#text.push(piece)
  }

  /** @param {Usage} usage */
  count(usage) {
    this.#usage = usage
  }

  /** Nothing more comes. */
  end() {
    this.hideProblem()
    this.#waiting(false)
    this.#endThinking()
    this.#calls.end()
    if (this.#text.text) this.#text.end()
    this.showFoot()
  }

  /** Nothing is being written: what can be done with it is offered. */
  showFoot() {
    const name = this.#model ?? ""
    const key = this.#usage?.source === "estimated" ? "js.about_estimated" : "js.about_usage"
    const words = this.#usage ? t(key, { model: name, tokens: formatNumber(this.#usage.total_tokens) }) : name
    slot(this.element, "about").textContent = words
    this.#isWhole = true
    this.#showWhatFits()
  }

  /** @param {number} at @param {number} count */
  showVersion(at, count) {
    showVersion(this.element, at, count)
    this.#versions = count
    this.#showWhatFits()
  }

  /** Without a text there is only what it took, and the way to the other versions. */
  #showWhatFits() {
    const [hasText, hasCost] = [Boolean(this.text), Boolean(this.#usage)]
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.element.querySelectorAll("[data-with-text]"))) button.hidden = !hasText
    slot(this.element, "about").hidden = !(hasText || hasCost) || !slot(this.element, "about").textContent
    slot(this.element, "foot").hidden = !this.#isWhole || !(hasText || hasCost || this.#versions > 1)
  }

  /** @param {string} words @param {{way?: Way | null, retry?: boolean, goOn?: boolean, anew?: boolean, grave?: boolean}} [options] */
  showProblem(words, { way = null, retry = false, goOn = false, anew = false, grave = true } = {}) {
    const place = this.#problem
    const link = /** @type {HTMLAnchorElement} */ (slot(this.element, "problem-link"))
    place.hidden = false
    place.role = grave ? "alert" : "status"
    place.classList.toggle("notice--danger", grave)
    slot(this.element, "problem-text").textContent = words
    link.hidden = !way
    link.href = way?.href ?? ""
    link.textContent = way?.label ?? ""
    must(this.element, "[data-retry]").hidden = !retry
    must(this.element, "[data-anew]").hidden = !anew
    must(this.element, "[data-continue]").hidden = !(goOn && this.text && this.runId)
  }

  hideProblem() {
    this.#problem.hidden = true
  }

  /** Its own: code and pictures in it have such places, too. */
  get #problem() {
    return must(this.element, ".message__problem")
  }

  /** @param {boolean} waiting */
  #waiting(waiting) {
    slot(this.element, "waiting").hidden = !waiting
  }

  /** @param {string} reasoning @param {string} state */
  #showThinking(reasoning, state) {
    if (!reasoning) return
    slot(this.element, "thinking").hidden = false
    slot(this.element, "thinking-state").textContent = state
  }

  #endThinking() {
    const thinking = slot(this.element, "thinking")
    if (!thinking.classList.contains("thinking--now")) return
    thinking.classList.remove("thinking--now")
    this.#reasoning.end()
    slot(this.element, "thinking-state").textContent = this.#timeOfThinking
  }

  /** In words. */
  get #timeOfThinking() {
    const time = this.#thinkingTime
    if (time === null) return t("js.thought")
    return time < 1000 ? t("js.thought_briefly") : t("js.thought_for", { time: formatDuration(time) })
  }
}
