// @ts-check
/**
 * The conversation on the page: opened, continued, stopped, resumed, and its branches. Emits "started" {id, title}, "ended" {id, title},
 * "opened" {id, title}, "refused", "gone" {id}: it was deleted elsewhere, and "anew" {text}: that is to be asked in a new one.
 */
import { Answer } from "app/answer"
import { AnswerMenu } from "app/answer-menu"
import { ApiError, api, isGone } from "app/api"
import { BranchView } from "app/branch-view"
import { showEnd, showFailure } from "app/endings"
import { sentence, t } from "app/i18n"
import { Question } from "app/question"
import { QuoteButton } from "app/quote"
import { TOO_LONG, codeOf, refusalWords, wayForward } from "app/refusals"
import { RunStream, asMessage } from "app/run-stream"
import { Thread } from "app/thread"
import { announce, reactTo, toast } from "app/ui"
import { IdempotencyKeys, newIdempotencyKey } from "app/writing"

/** @typedef {import("app/composer").Outgoing} Outgoing */
/** @typedef {import("app/thread").Shown} Shown */
/** @typedef {import("app/branch-view").Message} Message */
/** @typedef {{title: string, messages: Message[], goes_on_with: import("app/composer").Follower | null}} Stored */

const SPENT = "idempotency_key_reused"

export class Conversation extends EventTarget {
  #thread
  #branch
  #composer
  #isAdmin
  /** @type {string | null} */
  #id = null
  /** @type {RunStream | null} */
  #stream = null
  /** Answers whose line could not be mended: they are followed again, not asked for again. @type {WeakSet<Answer>} */
  #lost = new WeakSet()
  #keys = new IdempotencyKeys()

  /** @param {HTMLElement} root @param {import("app/composer").Composer} composer @param {boolean} isAdmin */
  constructor(root, composer, isAdmin) {
    super()
    this.#thread = new Thread(root)
    this.#branch = new BranchView(this.#thread, (message, question) => this.#drawAnswer(message, question))
    this.#composer = composer
    this.#isAdmin = isAdmin
    new AnswerMenu(this.#thread, composer)
    new QuoteButton(root, composer)
    reactTo(this.#thread, {
      continue: ({ message }) => this.#goOn(message),
      retry: ({ message }) => (this.#lost.delete(message) ? this.#join(message.runId, message) : this.#regenerate(message)),
      regenerate: ({ message, model }) => this.#regenerate(message, model),
      anew: ({ message }) => this.#emit("anew", { text: message.question.text }),
      resend: ({ message, text }) => this.#resend(message, text),
      step: (step) => (this.#stream && !this.#stream.runId) || this.#branch.step(step), // what is asked is of no branch yet
    })
  }

  /** An empty page for a new one. The answer being written goes on at the server. */
  leave() {
    if (this.#stream?.runId) this.#stream.close()
    this.#stream = null
    this.#id = null
    this.#branch.clear()
    this.#composer.running = false
  }

  /** Shows a stored conversation, given or asked for. Throws ApiError. @param {string} id @param {Stored} [stored] */
  async open(id, stored) {
    this.leave()
    this.#id = id
    const { title, messages, goes_on_with: follower } = stored ?? (await api.get(`/api/conversations/${encodeURIComponent(id)}`))
    if (this.#id !== id) return
    this.#branch.open(id, messages)
    this.#composer.goOnWith(follower)
    this.#thread.toLatest()
    this.#emit("opened", { id, title })
  }

  /** @param {Outgoing} outgoing */
  async send(outgoing) {
    const home = this.#id
    const error = await this.#ask(new Question(outgoing.text, this.#branch.last), outgoing)
    if (!error) return
    this.#composer.giveBack(home, codeOf(error) === SPENT ? { ...outgoing, idempotencyKey: newIdempotencyKey() } : outgoing)
    this.#refused(home, error)
  }

  /** What has not begun yet is stopped as soon as it has. */
  async stop() {
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

  /** @param {Message} message @param {Question} question */
  #drawAnswer(message, question) {
    const answer = new Answer(question)
    answer.runId = message.run_id
    answer.show(message)
    if (message.status === "running" && message.run_id) {
      this.#join(message.run_id, answer)
      return answer
    }
    answer.showFoot()
    if (message.error) showFailure(answer, message.error, this.#isAdmin)
    else showEnd(answer, message)
    return answer
  }

  /** Sends a question; gives what stood in the way. @param {Question} question @param {Outgoing} outgoing */
  #ask(question, outgoing) {
    const answer = new Answer(question)
    const stream = new RunStream({ message: asMessage(outgoing, this.#id, question.parentId) })
    return this.#begin(stream, answer, [...this.#branch.upTo(question.parentId), question, answer])
  }

  /** What was asked in other words, as another version of it. @param {Question} question @param {string} text */
  async #resend(question, text) {
    if (this.#stream) return toast(t("js.wait_for_answer"))
    const home = this.#id
    const asked = { text, parentId: question.parentId, ...this.#composer.choice }
    const outgoing = { text, ...this.#composer.choice, idempotencyKey: this.#keys.of(asked) }
    question.close()
    const asking = this.#ask(new Question(text, question.parentId), outgoing)
    this.#thread.focusLast()
    const error = await asking
    if (!error || codeOf(error) === SPENT) this.#keys.forget(asked)
    if (!error) return
    if (question.element.isConnected && !isGone(error)) question.edit(text)
    else this.#composer.giveBack(home, outgoing)
    this.#refused(home, error)
  }

  /** Another answer to the same question, of the same model unless told otherwise. @param {Answer} answer @param {string | null} [model] */
  async #regenerate({ question, model: usual }, model = usual) {
    if (!question.id) return
    if (this.#stream) return toast(t("js.wait_for_answer"))
    const home = this.#id
    const asked = { answerAgain: question.id, ...this.#composer.choiceOf(model) }
    const idempotencyKey = this.#keys.of(asked)
    const answer = new Answer(question)
    const asking = this.#begin(new RunStream({ ...asked, idempotencyKey }), answer, [...this.#branch.upTo(question.id), answer])
    this.#thread.focusLast()
    const error = await asking
    if (!error || codeOf(error) === SPENT) this.#keys.forget(asked)
    if (!error) return
    if (isGone(error)) this.#composer.giveBack(home, { text: question.text, idempotencyKey: newIdempotencyKey() })
    this.#refused(home, error)
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
      if (this.#stream === stream && stream.wasInterrupted && !stream.isUnwanted) queueMicrotask(() => this.#resume(answer))
      if (this.#stream === stream) this.#stream = null
    }
  }

  /** A server that ended was in the middle of it: another, or the next, goes on. @param {Answer} answer */
  #resume(answer) {
    if (++answer.resumed <= 3) this.#goOn(answer, { byItself: true })
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
    this.#emit("started", { id: start.conversation_id, title: start.title, here: !left, isNew: this.#id === null })
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
    if (this.#id) this.#emit("ended", { id: this.#id, title: done.title })
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
