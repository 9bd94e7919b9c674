// @ts-check
/** The calls of tools above an answer's words: how each went, what it was asked and what came of it, and whether it may be made. Loaded with the first one. */
import { api } from "app/api.js"
import { showWaiting } from "app/chat/call-bar.js"
import { isOpen, isOwn, nameOf } from "app/chat/calls.js"
import { formatDuration, formatNumber, t } from "app/i18n.js"
import { announce, fill, fromTemplate, must, slot, tell } from "app/ui.js"

/** @typedef {import("app/chat/calls.js").Call} Call */
/** @typedef {{element: HTMLElement, details: HTMLDetailsElement, call: Call, since: number, asked: boolean}} Row `asked`: its buttons have been shown */

const A_SECOND = 1000
const ENDS = ["done", "refused", "late", "failed", "stopped"] // in this order; `late`: not allowed in time
const UNMADE = ["tool_unknown", "tool_bad_arguments", "tool_too_many"]
const MOST_DEPTH = 32
const LONG_NUMBER = /\d{16}/ // a double has no room for it
const UNSEEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]|[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2,}/gu

export class CallList {
  #runId
  #details
  #limit = fromTemplate("calls-limit-template")
  /** @type {Map<string, Row>} */
  #rows = new Map()
  #isTurned = false // by the reader
  #clock = 0

  /** @param {HTMLElement} place @param {() => string | null} runId */
  constructor(place, runId) {
    this.#runId = runId
    this.#details = /** @type {HTMLDetailsElement} */ (fromTemplate("calls-template"))
    must(this.#details, "summary").addEventListener("click", () => (this.#isTurned = true))
    place.replaceChildren(this.#details, this.#limit)
  }

  /** Nobody will see it any more. */
  drop() {
    clearInterval(this.#clock)
    this.#details.remove()
    this.#limit.remove()
    showWaiting()
  }

  /** @param {Call[]} calls @param {{isSettled: boolean}} options */
  show(calls, { isSettled }) {
    for (const call of calls) this.#showOne(call)
    const isAsking = calls.some(({ status }) => status === "waiting")
    slot(this.#details, "said").textContent = summaryWords(calls)
    this.#details.classList.toggle("calls--now", calls.some(isOpen))
    if (isAsking) this.#details.open = true
    else if (!this.#isTurned) this.#details.open = !isSettled
    this.#keepTime(calls.some(({ status }) => status === "running"))
    this.#showLimit(calls, isSettled)
    showWaiting()
  }

  /** Why the answer goes on without tools, where it does. @param {Call[]} calls @param {boolean} isSettled */
  #showLimit(calls, isSettled) {
    const told = /** @type {HTMLElement[]} */ ([...this.#limit.children])
    const [rounds = 0, most = 0] = told.map(({ dataset }) => Number(dataset.most))
    const reached = limitOf(calls, { rounds, calls: most })
    this.#limit.hidden = !reached
    for (const each of told) {
      const isNews = each.hidden && each.dataset.limit === reached
      each.hidden = each.dataset.limit !== reached
      if (isNews && !isSettled) announce(each.textContent ?? "")
    }
  }

  /** @param {Call} call */
  #showOne(call) {
    const known = this.#rows.get(call.id)
    const row = known ?? this.#begin(call)
    if (!known || row.call.status !== call.status) row.since = performance.now() - (call.running_ms ?? 0)
    row.call = call
    row.element.dataset.status = call.status
    fill(row.element, { title: nameOf(call), server: call.server })
    slot(row.element, "server").hidden = !call.server
    this.#showState(row)
    const isWaiting = call.status === "waiting"
    if (isWaiting && !row.asked) row.details.open = row.asked = true // what is to be allowed is seen
    else if (!isWaiting && row.asked) this.#answered(row)
    slot(row.element, "ask").hidden = !isWaiting || !this.#runId()
    if (row.details.open) showContents(row)
  }

  /** @param {Call} call @returns {Row} */
  #begin(call) {
    const element = fromTemplate("call-template")
    const details = /** @type {HTMLDetailsElement} */ (must(element, "details"))
    const row = { element, details, call, since: performance.now(), asked: false }
    details.addEventListener("toggle", () => details.open && showContents(row))
    element.addEventListener("click", ({ target }) => this.#pressed(row, /** @type {Element} */ (target).closest("button")))
    slot(this.#details, "items").append(element)
    this.#rows.set(call.id, row)
    return row
  }

  /** The buttons have gone: who was at them is at the call. @param {Row} row */
  #answered(row) {
    row.asked = false
    const wasAt = slot(row.element, "ask").contains(document.activeElement)
    row.details.open = false
    if (wasAt) must(row.element, "summary").focus({ preventScroll: true })
  }

  /** @param {Row} row @param {HTMLButtonElement | null} button */
  async #pressed({ element, call }, button) {
    const answer = button?.dataset.allow
    const run = this.#runId()
    if (!button || !answer || !run) return
    const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (slot(element, "ask").querySelectorAll("button"))
    if (button.ariaDisabled) return // the word was given
    button.ariaBusy = "true"
    for (const each of buttons) each.ariaDisabled = "true"
    try {
      await api.post(`/api/runs/${encodeURIComponent(run)}/calls/${encodeURIComponent(call.id)}`, { allow: answer !== "no", all: answer === "all" })
    } catch (error) {
      for (const each of buttons) each.ariaDisabled = null
      tell(error)
    }
    button.ariaBusy = null
  }

  /** @param {Row} row */
  #showState({ element, call, since }) {
    const time = call.status === "running" ? performance.now() - since : call.duration_ms
    const words = stateWords(call)
    slot(element, "state").textContent = time === null || time < A_SECOND ? words : `${words} · ${formatDuration(time)}`
  }

  /** The seconds of what is running. @param {boolean} isRunning */
  #keepTime(isRunning) {
    clearInterval(this.#clock)
    if (!isRunning) return
    const show = () => {
      for (const row of this.#rows.values()) if (row.call.status === "running") this.#showState(row)
      if (!this.#details.isConnected) this.drop()
    }
    this.#clock = setInterval(show, A_SECOND)
  }
}

/** What is asked and what came of it is drawn once it is looked at: as words, whatever stands in it. @param {Row} row */
function showContents({ element, call }) {
  const [asked, came] = contentsOf(call)
  for (const [name, text] of Object.entries({ arguments: asked, result: came })) {
    const place = slot(element, name)
    if (place.textContent !== text) place.textContent = text
    slot(element, `${name}-part`).hidden = !text
  }
}

/** What was asked and what came of it. Of the web, the first alone: what was found has cards, what the model is told of it is not for people. @param {Call} call @returns {[string, string]} */
export function contentsOf(call) {
  if (!isOwn(call)) return [readable(call.arguments), call.result]
  const asked = wordsOf(call.arguments)
  const isEmpty = call.status === "done" && call.result !== "" && !call.result.startsWith("<")
  return [asked ?? readable(call.arguments), isEmpty ? t("js.web_empty", { query: asked ?? "" }) : ""]
}

/** What was searched for, or the address that was opened. @param {string} json */
function wordsOf(json) {
  try {
    const { query, url } = JSON.parse(json)
    const words = query ?? url
    return typeof words === "string" ? visible(words) : null
  } catch {
    return null
  }
}

/** JSON with a line for each of its parts; what is none as it is, and all that would be another one then: who allows a call sees what is sent. @param {string} json */
export function readable(json) {
  try {
    const value = LONG_NUMBER.test(json) ? null : JSON.parse(json)
    if (value === null || typeof value !== "object" || isDeep(value, MOST_DEPTH)) return visible(json)
    return Object.keys(value).length ? visible(JSON.stringify(value, null, 2)) : ""
  } catch {
    return visible(json)
  }
}

/** Would each of its lines begin further on, for very long? @param {any} value @param {number} left @returns {boolean} */
const isDeep = (value, left) => typeof value === "object" && value !== null && (!left || Object.values(value).some((each) => isDeep(each, left - 1)))

/** What has no form, or turns the reading direction, as JSON may have it too. @param {string} text */
const visible = (text) => text.replace(UNSEEN, (found) => Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""))

/** How one has gone, in a word or two, and why not where that has words. @param {Pick<Call, "status" | "error_code">} call */
export function stateWords({ status, error_code: code }) {
  const why = `js.call_error_${code}`
  const words = t(why)
  return words === why ? t(`js.call_${status}`) : words
}

/** Which limit has been reached, "rounds" or "calls", once those that were made have ended and the answer goes on. @param {Call[]} calls @param {{rounds: number, calls: number}} most */
export function limitOf(calls, most) {
  const made = calls.filter(({ error_code: code }) => !UNMADE.includes(code ?? ""))
  const hasBrokenOff = made.some(({ status, duration_ms: time }) => status === "stopped" || (status === "failed" && time === null))
  if (hasBrokenOff || calls.some(isOpen)) return null
  if (calls.some(({ round }) => round >= most.rounds)) return "rounds"
  return made.length >= most.calls ? "calls" : null
}

/** All of them in a line: those that were made, and beside them what became of the others. @param {Call[]} calls */
export function summaryWords(calls) {
  const open = calls.find(({ status }) => status === "waiting") ?? calls.find(isOpen)
  if (open) return t(`js.calls_${open.status}`, { tool: nameOf(open) })
  const [first] = calls
  if (calls.length === 1 && first) return t(`js.calls_one_${endOf(first)}`, { tool: nameOf(first) })
  const ends = calls.map(endOf)
  const counts = ENDS.map((end) => /** @type {const} */ ([end, ends.filter((each) => each === end).length]))
  const told = counts.filter(([end, count]) => count || end === "done")
  return told.map(([end, count]) => t(`js.calls_${end}`, { count: formatNumber(count) })).join(" · ")
}

/** @param {Call} call */
const endOf = ({ status, error_code: code }) => (status === "refused" && code === "tool_not_confirmed" ? "late" : status)
