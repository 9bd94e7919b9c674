// @ts-check
/**
 * The conversation on the page: opened, continued, stopped, resumed, and its branches. Emits "started" {id, title}, "ended" {id, isFirst},
 * "opened" with what is stored, "refused", "gone" {id}: it was deleted elsewhere, and "anew" {text}: that is to be asked in a new one.
 */
import { Answer } from "app/answer"
import { AnswerMenu } from "app/answer-menu"
import { ApiError, api, isGone } from "app/api"
import { Asking } from "app/asking"
import { BranchView } from "app/branch-view"
import { showEnd, showFailure, showStored } from "app/endings"
import { sentence, t } from "app/i18n"
import { QuoteButton } from "app/quote"
import { TOO_LONG, codeOf, refusalWords, wayForward } from "app/refusals"
import { RunStream } from "app/run-stream"
import { Thread } from "app/thread"
import { announce, reactTo, toast } from "app/ui"
import { newIdempotencyKey } from "app/writing"

/** @typedef {import("app/composer").Outgoing} Outgoing */
/** @typedef {import("app/thread").Shown} Shown */
/** @typedef {import("app/branch-view").Message} Message */
/** @typedef {{messages: Message[], goes_on_with: import("app/composer").Follower | null} & import("app/sidebar").Summary} Stored */

export class Conversation extends EventTarget {
  #thread
  #branch
  #composer
  #isAdmin
  /** @type {string | null} */
  #id = null
  /** While what is stored is on its way, and where it could not be had. @type {Promise<void> | null} */
  #arrival = null
  /** Was what waits for that asked to stop? */
  #isRecalled = false
  /** @type {RunStream | null} */
  #stream = null
  /** Answers whose line could not be mended: they are followed again, not asked for again. @type {WeakSet<Answer>} */
  #lost = new WeakSet()
  #asking

  /** @param {HTMLElement} root @param {import("app/composer").Composer} composer @param {boolean} isAdmin */
  constructor(root, composer, isAdmin) {
    super()
    this.#thread = new Thread(root)
    this.#branch = new BranchView(this.#thread, (message, question) => this.#drawAnswer(message, question))
    this.#composer = composer
    this.#isAdmin = isAdmin
    this.#asking = new Asking(this.#thread, this.#branch, composer, {
      place: () => ({ conversation: this.#id, isBusy: this.#stream !== null }),
      begin: (stream, answer, shown) => this.#begin(stream, answer, shown),
      refused: (home, error) => this.#refused(home, error),
    })
    new AnswerMenu(this.#thread, composer)
    new QuoteButton(root, composer)
    reactTo(this.#thread, {
      continue: ({ message }) => this.#goOn(message),
      retry: ({ message }) => (this.#lost.delete(message) ? this.#join(message.runId, message) : this.#asking.answerAgain(message)),
      regenerate: ({ message, model }) => this.#asking.answerAgain(message, model),
      anew: ({ message }) => this.#emit("anew", { text: message.question.text }),
      resend: ({ message, text }) => this.#asking.resend(message, text),
      step: (step) => (this.#stream && !this.#stream.runId) || this.#branch.step(step), // what is asked is of no branch yet
    })
  }

  /** An empty page for a new one. The answer being written goes on at the server. */
  leave() {
    if (this.#stream?.runId) this.#stream.close()
    this.#stream = null
    this.#id = null
    this.#arrival = null
    this.#branch.clear()
    this.#composer.running = false
  }

  /** Shows a stored conversation, given or asked for, at words of a message or its end. Throws ApiError. @param {string} id @param {Stored} [stored] @param {{message?: string, words?: string}} [sought] */
  async open(id, stored, sought) {
    this.leave()
    this.#id = id
    this.#arrival = this.#load(id, stored, sought)
    await this.#arrival
  }

  /** @param {string} id @param {Stored} [stored] @param {{message?: string, words?: string}} [sought] */
  async #load(id, stored, { message = "", words = "" } = {}) {
    const opened = stored ?? (await api.get(`/api/conversations/${encodeURIComponent(id)}`))
    if (this.#id !== id) return
    this.#arrival = null
    this.#branch.open(id, opened.messages, message)
    this.#composer.goOnWith(opened.goes_on_with)
    this.#thread.goTo(this.#branch.elementOf(message), words)
    this.#emit("opened", opened)
  }

  /** What was written elsewhere meanwhile is shown too, unless something is written here. Throws ApiError. */
  async refresh() {
    const id = this.#id
    const isBusy = () => this.#id !== id || this.#stream !== null || this.#thread.isEdited
    if (!id || isBusy()) return
    const stored = await api.get(`/api/conversations/${encodeURIComponent(id)}`)
    if (isBusy()) return
    if (this.#branch.isBehind(stored.messages)) {
      this.#branch.open(id, stored.messages)
      this.#composer.goOnWith(stored.goes_on_with)
    }
    this.#emit("opened", stored)
  }

  /** @param {Outgoing} outgoing @param {string | null} home where it was written: elsewhere it is not sent */
  async send(outgoing, home) {
    if (this.#id === home && (!this.#arrival || (await this.#isThere()))) return this.#asking.send(outgoing)
    this.#composer.giveBack(home, outgoing)
    if (this.#id !== home) toast(t("js.not_sent"), { kind: "danger" })
  }

  /**
   * What is sent follows what is stored: that is waited for, and asked for again where it could not be had. False where it was stopped
   * or the conversation left meanwhile. Throws ApiError.
   */
  async #isThere() {
    const id = this.#id
    this.#isRecalled = false
    this.#composer.running = true
    try {
      await this.#arrival?.catch(() => (id && this.#id === id ? this.#load(id) : undefined))
    } finally {
      if (this.#id === id) this.#composer.running = false
    }
    return this.#id === id && !this.#isRecalled
  }

  /** Opens the last question on the page to be changed. */
  editLast() {
    if (!this.#stream) this.#branch.lastQuestion?.edit()
  }

  /** What has not begun yet is stopped as soon as it has. */
  async stop() {
    this.#isRecalled = true
    if (!this.#stream) return
    this.#stream.isUnwanted = true
    if (this.#stream.runId) await this.#stopRun(this.#stream.runId, this.#id)
  }

  /** @param {string} runId @param {string | null} home */
  async #stopRun(runId, home) {
    try {
      await api.post(`/api/runs/${encodeURIComponent(runId)}/stop`)
    } catch (error) {
      if (!this.#tellGone(home, error)) toast(sentence(error), { kind: "danger" })
    }
  }

  /** @param {Message} message @param {import("app/question").Question} question */
  #drawAnswer(message, question) {
    const answer = new Answer(question)
    answer.runId = message.run_id
    answer.show(message)
    if (message.status === "running" && message.run_id) this.#join(message.run_id, answer)
    else showStored(answer, message, this.#isAdmin)
    return answer
  }

  /** Shows an answer at the end of what leads to it, and follows it; gives what stood in the way. @param {RunStream} stream @param {Answer} answer @param {Shown[]} shown */
  async #begin(stream, answer, shown) {
    answer.begin()
    this.#composer.hideProblem()
    this.#thread.show(shown)
    this.#thread.toLatest()
    try {
      await this.#follow(stream, answer)
      return null
    } catch (error) {
      if (stream.runId) this.#lose(stream.runId, error, answer)
      else if (answer.element.isConnected) this.#branch.show()
      return stream.runId ? null : error
    }
  }

  /** Has an answer written on that broke off. @param {Answer} answer @param {{byItself?: boolean}} [how] */
  async #goOn(answer, { byItself = false } = {}) {
    if (!answer.runId) return
    if (this.#stream) return announce(t("js.wait_for_answer"))
    const home = this.#id
    // Every page that shows the answer asks with the same key, and follows the one run.
    const idempotencyKey = byItself ? `after-${answer.runId}` : newIdempotencyKey()
    const stream = new RunStream({ goOn: answer.runId, idempotencyKey, isPatient: byItself })
    if (!byItself) answer.element.focus({ preventScroll: true })
    try {
      await this.#follow(stream, answer)
    } catch (error) {
      if (stream.runId) return this.#lose(stream.runId, error, answer)
      if (this.#tellGone(home, error)) return
      const words = { code: codeOf(error), message: sentence(error), retryable: false }
      if (words.code === TOO_LONG) return showFailure(answer, words, this.#isAdmin)
      toast(words.message, { kind: "danger" })
    }
  }

  /** Follows an answer that is being written. @param {string} runId @param {Answer} answer */
  async #join(runId, answer) {
    try {
      await this.#follow(new RunStream({ runId }), answer)
    } catch (error) {
      this.#lose(runId, error, answer)
    }
  }

  /** @param {RunStream} stream @param {Answer} answer */
  async #follow(stream, answer) {
    this.#stream = stream
    this.#composer.running = true
    announce(t("js.answering"))
    this.#listen(stream, answer)
    try {
      await stream.follow()
    } finally {
      if (this.#stream === stream) this.#composer.running = false
      const goesOn = this.#stream === stream && stream.wasInterrupted && !stream.isUnwanted && ++answer.resumed <= 3
      if (goesOn) queueMicrotask(() => this.#goOn(answer, { byItself: true })) // its server ended: another, or the next, goes on
      if (this.#stream === stream) this.#stream = null
    }
  }

  /** @param {RunStream} stream @param {Answer} answer */
  #listen(stream, answer) {
    reactTo(stream, {
      start: (detail) => this.#begun(stream, answer, detail),
      reasoning: ({ text }) => answer.think(text),
      token: ({ text }) => answer.append(text),
      usage: (usage) => answer.count(usage),
      done: (detail) => this.#done(answer, detail),
      error: (detail) => this.#broken(answer, detail),
      unsaved: ({ message }) => answer.showProblem(message, { grave: false }),
      lost: () => answer.showProblem(t("js.reconnecting"), { grave: false }),
      open: () => answer.hideProblem(),
    })
  }

  /** @param {RunStream} stream @param {Answer} answer @param {any} start */
  #begun(stream, answer, start) {
    answer.begin(start.model)
    answer.runId = start.run_id
    const left = this.#stream !== stream
    this.#emit("started", { id: start.conversation_id, title: start.title, here: !left, isNew: this.#id === null, isAsked: stream.asks })
    if (stream.isUnwanted) void this.#stopRun(start.run_id, start.conversation_id)
    if (left) return stream.close()
    this.#id = start.conversation_id
    this.#branch.keep(answer, start)
  }

  /** @param {Answer} answer @param {any} done */
  #done(answer, done) {
    answer.end()
    showEnd(answer, done)
    announce(t(done.status === "complete" ? "js.answer_complete" : "js.answer_stopped"))
    if (this.#id) this.#emit("ended", { id: this.#id, isFirst: this.#branch.isFirst })
  }

  /** @param {Answer} answer @param {{code: string, message: string, retryable?: boolean}} error */
  #broken(answer, error) {
    answer.end()
    if (this.#tellGone(this.#id, error)) return
    showFailure(answer, error, this.#isAdmin)
    this.#branch.noteFailed(answer)
    if (this.#id) this.#emit("ended", { id: this.#id })
  }

  /** The line to a running answer could not be mended. @param {string} runId @param {unknown} error @param {Answer} answer */
  #lose(runId, error, answer) {
    if (this.#tellGone(this.#id, error)) return
    const offline = !(error instanceof ApiError) || error.code === "offline"
    answer.runId = runId
    this.#lost.add(answer)
    answer.showProblem(offline ? t("js.connection_gone") : sentence(error), { way: wayForward(codeOf(error), this.#isAdmin), retry: true })
  }

  /** @param {string | null} home @param {unknown} error */
  #refused(home, error) {
    if (this.#tellGone(home, error)) return
    const ways = { way: wayForward(codeOf(error), this.#isAdmin), anew: home !== null && codeOf(error) === TOO_LONG }
    const words = refusalWords(error, this.#isAdmin)
    if (home === this.#id) this.#composer.showProblem(words, ways)
    else toast(words, { kind: "danger" })
    this.#emit("refused", {})
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
