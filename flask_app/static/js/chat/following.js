// @ts-check
/** The answer that is being written on the page: followed, stopped, gone on with, and followed again where its line was lost. */
import { ApiError, api, newIdempotencyKey } from "app/api.js"
import { nameOf } from "app/chat/calls.js"
import { showEnd, showFailure } from "app/chat/endings.js"
import { sentence, t } from "app/i18n.js"
import { LiveAnswer } from "app/chat/live-answer.js"
import { searchWords } from "app/chat/question.js"
import { TOO_LONG, codeOf, wayForward } from "app/refusals.js"
import { RunStream } from "app/chat/run-stream.js"
import { announce, reactTo, tell, toast } from "app/ui.js"

/** @typedef {import("app/chat/answer.js").Answer} Answer */
/**
 * @typedef {object} Host the conversation on the page
 * @property {() => string | null} place its id
 * @property {(stream: RunStream, answer: Answer, start: any, isLeft: boolean) => void} begun
 * @property {(answer: Answer, end: {status: string, finish_reason?: string | null}) => void} ended
 * @property {() => void} rested nothing is being written any more, and nothing goes on by itself
 * @property {(conversation: string | null, error: unknown) => boolean} tellGone
 */

export class Following {
  #composer
  #isAdmin
  #host
  /** @type {RunStream | null} */
  #stream = null
  /** @type {Answer | null} */
  #answer = null
  /** Answers whose line could not be mended: they are followed again, not asked for again. @type {WeakSet<Answer>} */
  #lost = new WeakSet()
  #live = new LiveAnswer()

  /** @param {import("app/chat/composer.js").Composer} composer @param {boolean} isAdmin @param {Host} host */
  constructor(composer, isAdmin, host) {
    this.#composer = composer
    this.#isAdmin = isAdmin
    this.#host = host
  }

  get isBusy() {
    return this.#stream !== null
  }

  /** Is an answer asked for that is of no branch yet? */
  get isBeginning() {
    return this.#stream !== null && !this.#stream.runId
  }

  /** What is being written, once it has an id. */
  get answerId() {
    return this.#answer?.id ?? null
  }

  /** The answer goes on at the server; one that has not begun yet is heard of once it has. */
  leave() {
    if (this.#stream?.runId) this.#stream.close()
    this.#live.leave()
    this.#stream = null
    this.#answer = null
    this.#composer.state = "idle"
  }

  /** The same where its conversation is left: what was heard of it leaves the page too. */
  forget() {
    this.leave()
    this.#live.clear()
  }

  /** What has not begun yet is stopped as soon as it has. */
  async stop() {
    if (!this.#stream) return
    this.#stream.isUnwanted = true
    if (this.#stream.runId) await this.#stopRun(this.#stream.runId, this.#host.place())
  }

  /** @param {string} runId @param {string | null} home */
  async #stopRun(runId, home) {
    try {
      await api.post(`/api/runs/${encodeURIComponent(runId)}/stop`)
    } catch (error) {
      if (!this.#host.tellGone(home, error)) tell(error)
    }
  }

  /** Follows one that is to begin; gives what stood in the way of that. @param {RunStream} stream @param {Answer} answer */
  async begin(stream, answer) {
    try {
      await this.#follow(stream, answer)
      return null
    } catch (error) {
      if (!stream.runId) return error
      this.#lose(stream.runId, error, answer)
      return null
    }
  }

  /** Follows one that is being written. @param {string} runId @param {Answer} answer */
  async join(runId, answer) {
    try {
      await this.#follow(new RunStream({ runId }), answer)
    } catch (error) {
      this.#lose(runId, error, answer)
    }
  }

  /** Follows one again whose line was lost; says whether it had been. @param {Answer} answer */
  joinAgain(answer) {
    const wasLost = answer.runId !== null && this.#lost.delete(answer)
    if (wasLost && answer.runId) this.join(answer.runId, answer)
    return wasLost
  }

  /** Has one written on that broke off. @param {Answer} answer @param {{byItself?: boolean}} [how] */
  async goOn(answer, { byItself = false } = {}) {
    if (!answer.runId) return
    if (this.#stream) return announce(t("js.wait_for_answer"))
    const home = this.#host.place()
    // Every page that shows the answer asks with the same key, and follows the one run.
    const idempotencyKey = byItself ? `after-${answer.runId}` : newIdempotencyKey()
    const stream = new RunStream({ goOn: answer.runId, idempotencyKey, isPatient: byItself })
    if (!byItself) answer.element.focus({ preventScroll: true })
    const error = await this.begin(stream, answer)
    if (!error || this.#host.tellGone(home, error)) return
    const words = { code: codeOf(error), message: sentence(error), retryable: false }
    if (words.code === TOO_LONG) showFailure(answer, words, this.#isAdmin)
    else toast(words.message, { kind: "danger" })
    this.#host.rested()
  }

  /** @param {RunStream} stream @param {Answer} answer */
  async #follow(stream, answer) {
    this.#stream = stream
    this.#answer = answer
    this.#composer.state = stream.runId ? "answering" : "sending"
    announce(t("js.answering"))
    this.#listen(stream, answer)
    try {
      await stream.follow()
      if (this.#stream === stream) queueMicrotask(() => this.#goesOn(stream, answer) || this.#host.rested())
    } finally {
      if (this.#stream === stream) this.leave()
    }
  }

  /** Where its server ended another, or the next, goes on. @param {RunStream} stream @param {Answer} answer */
  #goesOn(stream, answer) {
    if (!stream.wasInterrupted || stream.isUnwanted || ++answer.resumed > 3) return false
    this.goOn(answer, { byItself: true })
    return true
  }

  /** @param {RunStream} stream @param {Answer} answer */
  #listen(stream, answer) {
    reactTo(stream, {
      start: (detail) => this.#begun(stream, answer, detail),
      searching: ({ query }) => this.#searching(answer, query),
      sources: (search) => this.#searched(answer, search),
      found: (search) => answer.showFound(search),
      tool: (call) => this.#called(answer, call),
      reasoning: ({ text }) => answer.think(text),
      thought: ({ thinking_ms: time }) => answer.thought(time),
      token: ({ text }) => {
        answer.append(text)
        this.#live.grow(answer)
      },
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
    const isLeft = this.#stream !== stream
    if (!isLeft) this.#live.begin(answer, start.run_id) // before what stands there is taken away
    answer.begin(start.model)
    answer.runId = start.run_id
    this.#host.begun(stream, answer, start, isLeft)
    if (stream.isUnwanted) void this.#stopRun(start.run_id, start.conversation_id)
    if (isLeft) return stream.close()
    this.#composer.state = "answering"
  }

  /** @param {Answer} answer @param {string} query */
  #searching(answer, query) {
    const words = query ? t("js.web_searching", { query }) : t("js.web_opening")
    answer.search(words)
    announce(words)
  }

  /** @param {Answer} answer @param {import("app/chat/question.js").Search} search */
  #searched(answer, search) {
    answer.search("")
    answer.question.showSearch(search)
    announce(searchWords(search))
  }

  /** @param {Answer} answer @param {import("app/chat/calls.js").Call} call */
  #called(answer, call) {
    answer.call(call)
    if (call.status === "waiting" || call.status === "running") announce(t(`js.calls_${call.status}`, { tool: nameOf(call) }))
  }

  /** @param {Answer} answer */
  #end(answer) {
    answer.end()
    this.#live.end(answer)
  }

  /** @param {Answer} answer @param {any} done */
  #done(answer, done) {
    this.#end(answer)
    showEnd(answer, done)
    announce(t(done.status === "complete" ? "js.answer_complete" : "js.answer_stopped"))
    this.#host.ended(answer, done)
  }

  /** @param {Answer} answer @param {{code: string, message: string, retryable?: boolean}} error */
  #broken(answer, error) {
    this.#end(answer)
    if (this.#host.tellGone(this.#host.place(), error)) return
    showFailure(answer, error, this.#isAdmin)
    this.#host.ended(answer, { status: "failed" })
  }

  /** The line to a running answer could not be mended. @param {string} runId @param {unknown} error @param {Answer} answer */
  #lose(runId, error, answer) {
    if (this.#host.tellGone(this.#host.place(), error)) return
    const offline = !(error instanceof ApiError) || error.code === "offline"
    answer.runId = runId
    this.#lost.add(answer)
    answer.showProblem(offline ? t("js.connection_gone") : sentence(error), { way: wayForward(codeOf(error), this.#isAdmin), retry: true })
  }
}
