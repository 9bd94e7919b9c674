// @ts-check
/**
 * One answer on its way. Sends a message, has a question answered again, goes on with an answer or joins a run, survives lost connections, and passes every event on once.
 * Emits what the server names (start, searching, sources, found, tool, reasoning, token, usage, done, error), "unsaved" of an answer that has come and cannot be
 * saved yet, and "lost" and "open" about the line.
 */
import { ApiError, request } from "app/api.js"
import { serverEvents } from "app/chat/sse.js"

const EVENTS = new Set(["start", "searching", "sources", "found", "tool", "reasoning", "thought", "token", "usage", "done", "error"])
const UNSAVED = "not_saved_yet" // no end: it is told once it is saved
const SILENCE = 45_000 // the server speaks at least every 15 s
const OVERDUE = 20_000 // who comes back to such a silence, as on a phone that slept, does not wait for the rest of it
const FIRST_WAIT = 500
const LONGEST_WAIT = 8_000
const ATTEMPTS = 12
const AWAY = new Set([0, 502, 503, 504])

/** @typedef {{answerAgain: string, idempotencyKey: string} & import("app/chat/composer.js").Choice} Again the question's id, and by whom */
/**
 * @typedef {{message: string, files?: (string | {id: string, told: string, pages?: string})[], conversation_id?: string, assistant_id?: string, parent_id?: string | null, model?: string, thinking?: boolean | string,
 *   search?: true, tools?: string[], idempotency_key: string}} Message
 */

export class RunStream extends EventTarget {
  #leaving = new AbortController()
  #finished = false
  #lastId = 0
  /** The server's time, as far as it is ahead of this page's. */
  #ahead = NaN
  #failures = 0
  /** @type {string | null} */
  #runId
  #goesOn = false
  #isPatient = false
  #wasInterrupted = false
  /** Was it asked to stop? Then nobody wants it to go on, whatever ends it. */
  isUnwanted = false
  /** How a run begins that is not there yet. @type {{path: string, body: object} | null} */
  #opening = null

  /**
   * A patient one begins again and again while the server is away.
   * @param {{path: string, body: object} | {message: Message} | Again | {runId: string} | {goOn: string, idempotencyKey: string, isPatient?: boolean}} what
   */
  constructor(what) {
    super()
    if ("path" in what) this.#opening = what
    this.#runId = "runId" in what ? what.runId : null
    if ("message" in what) this.#opening = { path: "/api/chat", body: what.message }
    if ("answerAgain" in what) {
      const { answerAgain: question, idempotencyKey, ...choice } = what
      this.#opening = { path: `/api/messages/${encodeURIComponent(question)}/answers`, body: { ...choice, idempotency_key: idempotencyKey } }
    }
    if ("goOn" in what) {
      this.#goesOn = true
      const path = `/api/runs/${encodeURIComponent(what.goOn)}/continue`
      this.#opening = { path, body: { idempotency_key: what.idempotencyKey } }
      this.#isPatient = what.isPatient ?? false
    }
  }

  /** Did the answer break off because its server ended? */
  get wasInterrupted() {
    return this.#wasInterrupted
  }

  /** Was something asked with it: a message sent, or a question again? */
  get asks() {
    return Boolean(this.#opening) && !this.#goesOn
  }

  /** Did the reader want it? Going on by itself is nobody's wish. */
  get isWished() {
    return Boolean(this.#opening) && !this.#isPatient
  }

  get runId() {
    return this.#runId
  }

  /** Resolves after the last event, or once closed. Throws ApiError when the server refuses or stays away. */
  async follow() {
    while (!this.#finished && !this.#leaving.signal.aborted) {
      try {
        await this.#readOnce()
      } catch (error) {
        if (this.#leaving.signal.aborted) return
        this.#giveUpOn(error)
      }
      if (!this.#finished && !this.#leaving.signal.aborted) await this.#wait()
    }
  }

  /** Stops listening; the run itself goes on. */
  close() {
    this.#leaving.abort()
  }

  async #readOnce() {
    const connection = new AbortController()
    const leave = () => connection.abort()
    this.#leaving.signal.addEventListener("abort", leave)
    try {
      const response = await orSilence(this.#connect(connection.signal))
      if (!response.body) throw new ApiError(0, { code: "offline", message: "" })
      this.#ahead = Date.parse(response.headers.get("Date") ?? "") - performance.now()
      this.#emit("open", {})
      for await (const event of serverEvents(response.body, (reader) => orSilence(reader.read()))) {
        this.#apply(event)
        if (this.#finished) return
      }
    } finally {
      this.#leaving.signal.removeEventListener("abort", leave)
      connection.abort()
    }
  }

  /** @param {AbortSignal} signal */
  #connect(signal) {
    const headers = { Accept: "text/event-stream" }
    if (this.#opening && !this.#runId) {
      const { path, body } = this.#opening
      return request(path, { method: "POST", headers, signal, body: JSON.stringify(body) })
    }
    const path = `/api/runs/${encodeURIComponent(this.#runId ?? "")}/events?after=${this.#lastId}`
    return request(path, { headers: { ...headers, "Last-Event-ID": String(this.#lastId) }, signal })
  }

  /** @param {import("app/chat/sse.js").ServerEvent} event */
  #apply({ id, name, data }) {
    const number = Number(id)
    if (!EVENTS.has(name) || this.#finished || this.#leaving.signal.aborted || number <= this.#lastId) return
    const detail = JSON.parse(data)
    this.#lastId = number
    this.#failures = 0
    if (name === "start") this.#runId = detail.run_id
    const isUnsaved = name === "error" && detail.code === UNSAVED
    if (name === "done" || (name === "error" && !isUnsaved)) this.#finished = true
    if (detail.began_at) detail.running_ms = Math.max(0, performance.now() + this.#ahead - Date.parse(detail.began_at)) || 0
    this.#wasInterrupted = name === "done" && detail.status === "interrupted"
    this.#emit(isUnsaved ? "unsaved" : name, detail)
  }

  /**
   * What the server said stands; a line that broke, or a server that is not there just now, is tried again: without end
   * for an answer that was begun, a while for one that is to begin, and not at all where nothing was ever accepted.
   * @param {unknown} error
   */
  #giveUpOn(error) {
    const isCrowded = error instanceof ApiError && error.status === 429 && this.#runId // by connections that have died, for a while
    const refused = error instanceof ApiError && !AWAY.has(error.status) && !isCrowded
    const neverAccepted = error instanceof ApiError && !this.#runId && !this.#isPatient
    const inVain = !this.#runId && this.#failures >= ATTEMPTS
    if (refused || neverAccepted || error instanceof SyntaxError || inVain) throw error
  }

  async #wait() {
    this.#failures++
    this.#emit("lost", {})
    const pause = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#failures - 1))
    await untilWorthTrying(pause * (0.75 + Math.random() / 2), this.#leaving.signal)
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

/**
 * @param {import("app/chat/composer.js").Outgoing} outgoing @param {string | null} conversation @param {string | null} parent what it follows
 */
export function asMessage({ text, files, assistant, model, thinking, search, tools, idempotencyKey }, conversation, parent) {
  /** @type {Message} */
  const message = { message: text, idempotency_key: idempotencyKey }
  if (conversation) message.conversation_id = conversation
  if (conversation) message.parent_id = parent
  else if (assistant) message.assistant_id = assistant
  if (files?.length) message.files = files.map(asEntry)
  if (model) message.model = model
  if (thinking !== undefined) message.thinking = thinking
  if (search && text) message.search = true
  if (tools?.length) message.tools = tools
  return message
}

/** A file by its id, and how it is told where that is not whole. @param {import("app/chat/file-list.js").MessageFile} file */
function asEntry({ id, told = "whole", told_pages: pages }) {
  return told === "whole" ? id : { id, told, ...(told === "pages" ? { pages: pages ?? "" } : {}) }
}

/** What is waited for on a line is given up once it is silent, and when the network comes back: the old one may be dead without a word. @template T @param {Promise<T>} promise @returns {Promise<T>} */
function orSilence(promise) {
  return new Promise((resolve, reject) => {
    const settled = new AbortController()
    const since = Date.now()
    const giveUp = () => reject(new TypeError("the stream fell silent"))
    const timer = setTimeout(giveUp, SILENCE)
    whenBack({ network: giveUp, reader: () => Date.now() - since > OVERDUE && giveUp() }, settled.signal)
    promise.then(resolve, reject).finally(() => {
      settled.abort()
      clearTimeout(timer)
    })
  })
}

/** A pause that ends early when the network or the reader comes back. @param {number} pause @param {AbortSignal} leaving */
function untilWorthTrying(pause, leaving) {
  return new Promise((resolve) => {
    const settled = new AbortController()
    const finish = () => {
      settled.abort()
      clearTimeout(timer)
      resolve(undefined)
    }
    const timer = setTimeout(finish, pause)
    whenBack({ network: finish, reader: finish }, settled.signal)
    leaving.addEventListener("abort", finish, { signal: settled.signal })
  })
}

/** @param {{network: () => void, reader: () => void}} back @param {AbortSignal} signal ends it */
function whenBack({ network, reader }, signal) {
  globalThis.addEventListener?.("online", network, { signal })
  globalThis.document?.addEventListener("visibilitychange", reader, { signal })
}
