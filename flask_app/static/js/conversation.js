// @ts-check
/**
 * The conversation on the page: opened, continued, stopped, resumed. Emits "started" {id, title}, "ended" {id, title},
 * "opened" {id, title}, "refused", "gone" {id}: it was deleted elsewhere, and "anew" {text}: that is to be asked in a new one.
 */
import { ApiError, api, isGone } from "app/api"
import { pathToNewest } from "app/branch"
import { sentence, t } from "app/i18n"
import { TOO_LONG, codeOf, refusalWords, wayForward } from "app/refusals"
import { RunStream, asMessage } from "app/run-stream"
import { Thread } from "app/thread"
import { announce, toast } from "app/ui"
import { asOutgoing, newIdempotencyKey } from "app/writing"

/** @typedef {import("app/answer").Answer} Answer */
/** @typedef {import("app/composer").Outgoing} Outgoing */
/**
 * @typedef {{id: string, parent_id: string | null, role: "user" | "assistant", text: string, reasoning: string,
 *   status: string, error: {code: string, message: string} | null, model: string | null, run_id: string | null,
 *   finish_reason: string | null, usage: import("app/answer").Usage | null}} Message
 */
/** @typedef {{title: string, messages: Message[], goes_on_with: import("app/composer").Follower | null}} Stored */
/** @typedef {{outgoing: Outgoing, parent: string | null, resumed?: number}} Turn a question, what it follows, and how often its answer went on by itself */

/** What is said of an answer that is not whole. */
const CUT_OFF = new Map(["stopped", "left", "interrupted", "length", "content_filter"].map((how) => [how, `js.answer_${how}`]))

export class Conversation extends EventTarget {
  #thread
  #composer
  #isAdmin
  /** @type {string | null} */
  #id = null
  /** @type {string | null} the newest message, which the next one follows */
  #last = null
  /** @type {RunStream | null} */
  #stream = null
  /** How each unfinished answer is asked for again. @type {WeakMap<Answer, () => void>} */
  #retries = new WeakMap()
  /** @type {WeakMap<Answer, Turn>} */
  #turns = new WeakMap()

  /** @param {HTMLElement} root @param {import("app/composer").Composer} composer @param {boolean} isAdmin */
  constructor(root, composer, isAdmin) {
    super()
    this.#thread = new Thread(root)
    this.#composer = composer
    this.#isAdmin = isAdmin
    this.#thread.addEventListener("continue", (event) => this.#goOn(/** @type {CustomEvent<Answer>} */ (event).detail))
    this.#thread.addEventListener("retry", (event) => this.#retries.get(/** @type {CustomEvent<Answer>} */ (event).detail)?.())
    this.#thread.addEventListener("anew", (event) => this.#askAnew(/** @type {CustomEvent<Answer>} */ (event).detail))
  }

  /** An empty page for a new one. The answer being written goes on at the server. */
  leave() {
    if (this.#stream?.runId) this.#stream.close()
    this.#stream = null
    this.#id = this.#last = null
    this.#composer.running = false
    this.#thread.clear()
  }

  /** Shows a stored conversation, given or asked for. Throws ApiError. @param {string} id @param {Stored} [stored] */
  async open(id, stored) {
    this.leave()
    this.#id = id
    const { title, messages, goes_on_with: follower } = stored ?? (await api.get(`/api/conversations/${encodeURIComponent(id)}`))
    if (this.#id !== id) return
    this.#show(pathToNewest(messages))
    this.#composer.goOnWith(follower)
    this.#thread.toLatest()
    this.#emit("opened", { id, title })
  }

  /** @param {Outgoing} outgoing */
  send(outgoing) {
    return this.#ask({ outgoing, parent: this.#last })
  }

  async stop() {
    const stream = this.#stream
    const home = this.#id
    if (!stream?.runId) return
    stream.isUnwanted = true
    try {
      await api.post(`/api/runs/${encodeURIComponent(stream.runId)}/stop`)
    } catch (error) {
      if (!this.#tellGone(home, error)) toast(sentence(error), { kind: "danger" })
    }
  }

  /** @param {Message[]} path */
  #show(path) {
    path.forEach((message, index) => {
      this.#last = message.id
      if (message.role === "user") return this.#thread.addQuestion(message.text)
      const question = path[index - 1]
      const turn = { outgoing: asOutgoing(question?.text ?? "", message.model), parent: question?.parent_id ?? null }
      return this.#showAnswer(message, turn)
    })
  }

  /** @param {Message} message @param {Turn} turn */
  #showAnswer(message, turn) {
    const answer = this.#thread.addAnswer()
    answer.runId = message.run_id
    this.#turns.set(answer, turn)
    this.#thread.offerToGoOnOnlyWith(answer)
    answer.show(message)
    if (message.status === "running" && message.run_id) return this.#join(message.run_id, answer, turn)
    answer.showFoot()
    if (message.error) this.#failed(answer, message.error, turn)
    else this.#finished(answer, message, turn)
  }

  /** @param {Turn} turn */
  async #ask(turn) {
    const { outgoing, parent } = turn
    const home = this.#id
    const question = this.#thread.addQuestion(outgoing.text)
    const answer = this.#thread.addAnswer()
    this.#turns.set(answer, turn)
    answer.begin()
    this.#thread.toLatest()
    const stream = new RunStream({ message: asMessage(outgoing, home, parent) })
    try {
      await this.#follow(stream, answer, turn)
    } catch (error) {
      if (stream.runId) return this.#lost(stream.runId, error, answer, turn)
      question.remove()
      answer.element.remove()
      this.#refused(home, outgoing, error)
    }
  }

  /** Has an answer written on that broke off. @param {Answer} answer @param {{byItself?: boolean}} [how] */
  async #goOn(answer, { byItself = false } = {}) {
    const turn = this.#turns.get(answer)
    if (!turn || !answer.runId) return
    if (this.#stream) return announce(t("js.wait_for_answer"))
    const home = this.#id
    // Every page that shows the answer asks with the same key, and follows the one run.
    const idempotencyKey = byItself ? `after-${answer.runId}` : newIdempotencyKey()
    const stream = new RunStream({ goOn: answer.runId, idempotencyKey, isPatient: byItself })
    if (!byItself) answer.element.focus({ preventScroll: true })
    try {
      await this.#follow(stream, answer, turn)
    } catch (error) {
      if (stream.runId) return this.#lost(stream.runId, error, answer, turn)
      if (this.#tellGone(home, error)) return
      if (codeOf(error) === TOO_LONG) return this.#failed(answer, { code: TOO_LONG, message: sentence(error), retryable: false }, turn)
      toast(sentence(error), { kind: "danger" })
    }
  }

  /** Follows an answer that is being written. @param {string} runId @param {Answer} answer @param {Turn} turn */
  async #join(runId, answer, turn) {
    try {
      await this.#follow(new RunStream({ runId }), answer, turn)
    } catch (error) {
      this.#lost(runId, error, answer, turn)
    }
  }

  /** @param {RunStream} stream @param {Answer} answer @param {Turn} turn */
  async #follow(stream, answer, turn) {
    this.#stream = stream
    this.#composer.running = true
    announce(t("js.answering"))
    this.#listen(stream, answer, turn)
    try {
      await stream.follow()
    } finally {
      if (this.#stream === stream) this.#composer.running = false
      if (this.#stream === stream && stream.wasInterrupted && !stream.isUnwanted) queueMicrotask(() => this.#resume(answer, turn))
      if (this.#stream === stream) this.#stream = null
    }
  }

  /** A server that ended was in the middle of it: another, or the next, goes on. @param {Answer} answer @param {Turn} turn */
  #resume(answer, turn) {
    turn.resumed = (turn.resumed ?? 0) + 1
    if (turn.resumed <= 3) this.#goOn(answer, { byItself: true })
  }

  /** @param {RunStream} stream @param {Answer} answer @param {Turn} turn */
  #listen(stream, answer, turn) {
    /** @type {Record<string, (detail: any) => void>} */
    const reactions = {
      start: (detail) => this.#begun(stream, answer, detail),
      reasoning: ({ text }) => answer.think(text),
      token: ({ text }) => answer.append(text),
      usage: (usage) => answer.count(usage),
      done: (detail) => this.#done(answer, detail, turn),
      error: (detail) => this.#broken(answer, detail, turn),
      lost: () => answer.showProblem(t("js.reconnecting"), { grave: false }),
      open: () => answer.hideProblem(),
    }
    for (const [name, react] of Object.entries(reactions)) {
      stream.addEventListener(name, (event) => react(/** @type {CustomEvent} */ (event).detail))
    }
  }

  /** @param {RunStream} stream @param {Answer} answer @param {any} start */
  #begun(stream, answer, start) {
    answer.begin(start.model)
    answer.runId = start.run_id
    this.#thread.offerToGoOnOnlyWith(answer)
    const left = this.#stream !== stream
    this.#emit("started", { id: start.conversation_id, title: start.title, here: !left, isNew: this.#id === null })
    if (left) return stream.close()
    this.#id = start.conversation_id
    this.#last = start.message_id
  }

  /** @param {Answer} answer @param {any} done @param {Turn} turn */
  #done(answer, done, turn) {
    answer.end()
    this.#finished(answer, done, turn)
    announce(t(done.status === "complete" ? "js.answer_complete" : "js.answer_stopped"))
    if (this.#id) this.#emit("ended", { id: this.#id, title: done.title })
  }

  /** @param {Answer} answer @param {{code: string, message: string, retryable?: boolean}} error @param {Turn} turn */
  #broken(answer, error, turn) {
    answer.end()
    if (this.#tellGone(this.#id, error)) return
    this.#failed(answer, error, turn)
    if (this.#id) this.#emit("ended", { id: this.#id })
  }

  /** @param {Answer} answer @param {{status: string, finish_reason: string | null}} end @param {Turn} turn */
  #finished(answer, { status, finish_reason: reason }, turn) {
    const cutOff = CUT_OFF.get(status === "complete" ? (reason ?? "") : status)
    const retry = (status !== "complete" || !answer.plainText) && this.#offerRetry(answer, turn)
    if (cutOff) answer.showProblem(t(cutOff), { grave: false, retry, goOn: reason !== "content_filter" })
    else if (status === "failed") answer.showProblem(t("js.answer_failed"), { retry })
    else if (!answer.plainText) answer.showProblem(t("js.answer_empty"), { grave: false, retry })
  }

  /** @param {Answer} answer @param {{code: string, message: string, retryable?: boolean}} error @param {Turn} turn */
  #failed(answer, error, turn) {
    const retry = error.retryable !== false && this.#offerRetry(answer, turn)
    const goOn = error.code !== "not_saved_yet" // with a text it broke off, without one it failed
    const anew = error.code === TOO_LONG && turn.parent !== null
    answer.showProblem(error.message, { way: wayForward(error.code, this.#isAdmin), retry, goOn, anew })
  }

  /** Asks the question again, as a new message beside the first. @param {Answer} answer @param {Turn} turn */
  #offerRetry(answer, turn) {
    this.#retries.set(answer, () => {
      if (this.#stream) return announce(t("js.wait_for_answer"))
      answer.element.previousElementSibling?.remove()
      answer.element.remove()
      const again = { ...turn.outgoing, idempotencyKey: newIdempotencyKey() }
      this.#ask({ outgoing: again, parent: turn.parent })
    })
    return true
  }

  /** The line to a running answer could not be mended. @param {string} runId @param {unknown} error @param {Answer} answer @param {Turn} turn */
  #lost(runId, error, answer, turn) {
    if (this.#tellGone(this.#id, error)) return
    const offline = !(error instanceof ApiError) || error.code === "offline"
    const words = offline ? t("js.connection_gone") : sentence(error)
    this.#retries.set(answer, () => this.#join(runId, answer, turn))
    answer.showProblem(words, { way: wayForward(codeOf(error), this.#isAdmin), retry: true })
  }

  /** @param {string | null} home @param {Outgoing} outgoing @param {unknown} error */
  #refused(home, outgoing, error) {
    const spent = codeOf(error) === "idempotency_key_reused"
    this.#composer.giveBack(home, spent ? { ...outgoing, idempotencyKey: newIdempotencyKey() } : outgoing)
    if (this.#tellGone(home, error)) return
    const ways = { way: wayForward(codeOf(error), this.#isAdmin), anew: home !== null && codeOf(error) === TOO_LONG }
    const words = refusalWords(error, this.#isAdmin)
    if (home === this.#id) this.#composer.showProblem(words, ways)
    else toast(words, { kind: "danger" })
    this.#emit("refused", {})
  }

  /** Asks what was asked, in a new conversation. @param {Answer} answer */
  #askAnew(answer) {
    const turn = this.#turns.get(answer)
    if (turn) this.#emit("anew", { text: turn.outgoing.text })
  }

  /** Whether the conversation was deleted elsewhere; then it is told. @param {string | null} home @param {unknown} error */
  #tellGone(home, error) {
    const gone = home !== null && isGone(error)
    if (gone) this.#emit("gone", { id: home })
    return gone
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
