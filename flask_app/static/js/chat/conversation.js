// @ts-check
/**
 * The conversation on the page: opened, continued, stopped, resumed, and its branches. Emits "started" {id, title}, "ended" {id, isFirst},
 * "opened" with what is stored, "coming" {id, arrival}: it is asked for again, "refused", "gone" {id}: it was deleted elsewhere, and
 * "anew" {text, files}: that is to be asked in a new one.
 */
import { Answer } from "app/chat/answer.js"
import { AnswerMenu } from "app/chat/answer-menu.js"
import { api, inTime, isAway, isGone } from "app/api.js"
import { Asking } from "app/chat/asking.js"
import { BranchView } from "app/chat/branch-view.js"
import { showStored } from "app/chat/endings.js"
import { ContextMeter } from "app/chat/context-meter.js"
import { Following } from "app/chat/following.js"
import { sentenceOfUnsent, t } from "app/i18n.js"
import { Queue } from "app/chat/queue.js"
import { QuoteButton } from "app/chat/quote.js"
import { SPENT, TOO_LONG, codeOf, refusalWords, wayForward } from "app/refusals.js"
import { Thread } from "app/chat/thread.js"
import { announce, reactTo, toast } from "app/ui.js"
import { WaitingMessages } from "app/chat/waiting-messages.js"

/** @typedef {import("app/chat/composer.js").Outgoing} Outgoing */
/** @typedef {import("app/chat/thread.js").Shown} Shown */
/** @typedef {import("app/chat/branch-view.js").Message} Message */
/** @typedef {{messages: Message[], goes_on_with: import("app/chat/composer.js").Follower | null, assistant: import("app/chat/composer.js").Assistant | null} & import("app/sidebar/sidebar.js").Summary} Stored */

export class Conversation extends EventTarget {
  #thread
  branch
  #composer
  #isAdmin
  /** @type {string | null} */
  #id = null
  /** While what is stored is on its way, and where it could not be had. @type {Promise<void> | null} */
  #arrival = null
  #isLost = false // it could not be had
  #recall = () => {} // what is sent meanwhile does not wait for it any more
  #following
  #asking
  #meter
  queue = new Queue()
  #waiting

  /** @param {HTMLElement} root @param {import("app/chat/composer.js").Composer} composer @param {boolean} isAdmin @param {import("app/chat/asking.js").AskWithAll | null} [askWithAll] */
  constructor(root, composer, isAdmin, askWithAll = null) {
    super()
    this.#thread = new Thread(root)
    this.branch = new BranchView(this.#thread, (message, question) => this.#drawAnswer(message, question))
    this.#composer = composer
    this.#isAdmin = isAdmin
    this.#meter = new ContextMeter(root, composer)
    this.#following = new Following(composer, isAdmin, {
      place: () => this.#id,
      begun: (stream, answer, start, isLeft) => this.#begun(stream, answer, start, isLeft),
      ended: (answer, end) => this.#ended(answer, end),
      rested: () => this.#takeTurn(),
      tellGone: (home, error) => this.#tellGone(home, error),
    })
    this.#asking = new Asking(this.#thread, this.branch, composer, this.queue, {
      place: () => ({ conversation: this.#id, isBusy: this.#following.isBusy }),
      begin: (stream, answer, shown) => this.#begin(stream, answer, shown),
      refused: (home, error, isBack) => this.#refused(home, error, isBack),
    }, askWithAll)
    this.#waiting = new WaitingMessages(root, this.queue)
    new AnswerMenu(this.#thread, composer)
    new QuoteButton(root, composer)
    this.#listen()
  }

  #listen() {
    reactTo(this.#thread, {
      continue: ({ message }) => this.#following.goOn(message),
      retry: ({ message }) => this.#following.joinAgain(message) || this.#asking.answerAgain(message),
      regenerate: ({ message, model }) => this.#asking.answerAgain(message, model),
      anew: ({ message }) => this.#emit("anew", message.question),
      resend: ({ message, text, files }) => this.#asking.resend(message, text, files),
      step: (step) => this.#following.isBeginning || this.#step(step), // what is asked is of no branch yet
    })
    reactTo(this.#waiting, {
      back: ({ key }) => this.#takeBack(key),
      go: () => this.#sendWaiting(),
      emptied: () => this.#composer.focus(),
      unfocused: () => this.#thread.focusLast(),
      restored: () => this.#takeTurn(),
    })
    reactTo(this.#composer, { wait: (outgoing) => this.#wait(outgoing) })
  }

  /** Is there nothing on the page, and nothing asked? */
  get isEmpty() {
    return this.branch.last === null && !this.#following.isBusy
  }

  /** An empty page for a new one. The answer being written goes on at the server. */
  leave() {
    this.#recall()
    this.#following.forget()
    this.#id = null
    this.#arrival = null
    this.branch.clear()
    this.#meter.show(null)
    this.#waiting.show(null)
  }

  /** Shows a stored conversation, given or asked for, at words of a message or its end. Throws ApiError. @param {string} id @param {Stored} [stored] @param {{message?: string, words?: string}} [sought] */
  async open(id, stored, sought) {
    this.leave()
    this.#id = id
    await (this.#arrival = this.#load(id, stored, sought))
  }

  /** @param {string} id @param {Stored} [stored] @param {{message?: string, words?: string}} [sought] */
  async #load(id, stored, { message = "", words = "" } = {}) {
    this.#isLost = false
    const opened = stored ?? (await storedOf(id).catch((error) => {
      this.#isLost = this.#id === id
      throw error
    }))
    if (this.#id !== id) return
    this.#arrival = null
    this.#compare(id, opened)
    this.branch.open(id, opened.messages, message)
    this.#waiting.show(id)
    this.#composer.goOnWith(opened.goes_on_with, opened.assistant)
    this.#meter.show(this.branch.usage)
    this.#thread.goTo(this.branch.elementOf(message), words)
    this.#emit("opened", opened)
    this.#takeTurn()
  }

  /** What was written elsewhere meanwhile is shown too, unless something is written here. Throws ApiError. */
  async refresh() {
    const id = this.#id
    const isBusy = () => this.#id !== id || this.#following.isBusy || this.#thread.isEdited
    if (!id || isBusy()) return
    const stored = await storedOf(id)
    if (isBusy()) return
    this.#compare(id, stored)
    if (this.branch.isBehind(stored.messages)) {
      this.branch.open(id, stored.messages)
      this.#composer.goOnWith(stored.goes_on_with, stored.assistant)
      this.#meter.show(this.branch.usage)
    }
    this.#emit("opened", stored)
    this.#takeTurn()
  }

  /** Asking would take it out of the archive: there what waits has the reader's word to wait for. @param {string} id @param {Stored} stored */
  #compare(id, { messages, archived }) {
    this.queue.compare(id, messages)
    if (archived) this.queue.hold(id)
  }

  /** @param {Outgoing} outgoing @param {string | null} home where it was written: elsewhere it is not sent */
  async send(outgoing, home) {
    if (this.#id === home && (!this.#arrival || (await this.#isThere()))) {
      if (!this.#following.isBusy) return this.#asking.send(outgoing)
      this.#composer.taken(home, outgoing.idempotencyKey)
      return this.#wait(outgoing)
    }
    this.#composer.giveBack(home, outgoing)
    if (this.#id !== home) toast(t("js.not_sent"), { kind: "danger" })
  }

  /** What is sent follows what is stored, which is asked for again where it could not be had. False where it was stopped, or left. Throws ApiError. */
  async #isThere() {
    const id = this.#id
    const recalled = new Promise((resolve) => (this.#recall = () => resolve(true)))
    this.#composer.state = "sending"
    if (id && this.#isLost) this.#emit("coming", { id, arrival: (this.#arrival = this.#load(id)) })
    try {
      return !(await Promise.race([this.#arrival, recalled])) && this.#id === id
    } finally {
      if (this.#id === id && !this.#following.isBusy) this.#composer.state = "idle"
    }
  }

  /** @param {any} step */
  #step(step) {
    this.branch.step(step)
    this.#meter.show(this.branch.usage)
  }

  /** Opens the last question on the page to be changed; one that waits goes back into the text area. */
  editLast() {
    const last = this.queue.waitingIn(this.#id).at(-1)
    if (last) this.#takeBack(last.idempotencyKey)
    else if (!this.#following.isBusy) this.branch.editLast()
  }

  /** What has not begun yet is stopped as soon as it has. What waits goes on waiting. */
  async stop() {
    this.#recall()
    this.queue.hold(this.#id)
    await this.#following.stop()
  }

  /** @param {Message} message @param {import("app/chat/question.js").Question} question */
  #drawAnswer(message, question) {
    const answer = new Answer(question)
    answer.runId = message.run_id
    answer.show(message)
    if (message.status === "running" && message.run_id) this.#following.join(message.run_id, answer)
    else showStored(answer, message, this.#isAdmin)
    return answer
  }

  /** Shows an answer at the end of what leads to it, and follows it; gives what stood in the way. @param {import("app/chat/run-stream.js").RunStream} stream @param {Answer} answer @param {Shown[]} shown */
  async #begin(stream, answer, shown) {
    answer.begin()
    this.#composer.hideProblem()
    this.#thread.show(shown)
    this.#thread.toLatest()
    const error = await this.#following.begin(stream, answer)
    if (error && answer.element.isConnected) this.branch.show()
    return error
  }

  /** @param {import("app/chat/run-stream.js").RunStream} stream @param {Answer} answer @param {any} start @param {boolean} isLeft */
  #begun(stream, answer, start, isLeft) {
    const id = start.conversation_id ?? this.#id
    const { title, message_id: answerId } = start
    this.#emit("started", { id, title, here: !isLeft, isNew: this.#id === null, isAsked: stream.asks })
    if (stream.isWished && !stream.isUnwanted) this.queue.goOn(id, answerId)
    if (isLeft) return
    this.#id = id
    this.branch.keep(answer, start)
    this.#waiting.show(id)
  }

  /** @param {Answer} answer @param {{status: string, finish_reason?: string | null}} end */
  #ended(answer, end) {
    this.branch.noteEnd(answer, end)
    this.#meter.show(this.branch.usage)
    if (this.#id) this.#emit("ended", { id: this.#id, isFirst: end.status !== "failed" && this.branch.isFirst })
  }

  /** It is asked once the answer has ended that is being written. @param {Outgoing} outgoing */
  #wait(outgoing) {
    if (!this.#id) return
    this.queue.add(this.#id, outgoing, this.#following.answerId ?? this.branch.last ?? "")
    this.#thread.toLatest()
    announce(t("js.waits"))
  }

  /** The first of what waits is asked after a whole answer, where that is the one that it waits for; else the reader has the word. */
  #takeTurn() {
    const { last, isWhole } = this.branch
    if (!this.#id || !last || this.#following.isBusy || !this.queue.next(this.#id)) return
    if (isWhole && last === this.queue.of(this.#id).after) this.#sendWaiting()
    else this.queue.hold(this.#id)
  }

  /** What waits goes on: now, or after what is just being written. */
  #sendWaiting() {
    if (!this.#id) return
    this.queue.goOn(this.#id, this.#following.answerId ?? undefined)
    const next = this.queue.next(this.#id)
    if (next && !this.#following.isBusy) this.#asking.sendWaiting(next)
  }

  /** Into the text area. @param {string} key */
  #takeBack(key) {
    const message = this.#id && this.queue.takeOut(this.#id, key)
    if (message) this.#composer.giveBack(this.#id, message)
    this.#composer.focus()
  }

  /** What waits in one that is not there any more is written again. @param {string} id */
  takeAllBack(id) {
    for (const message of this.queue.forget(id).reverse()) this.#composer.giveBack(id, message)
  }

  /** @param {string | null} home @param {unknown} error @param {boolean} [isBack] are the words in their field again? */
  #refused(home, error, isBack = false) {
    if (this.#tellGone(home, error)) return
    const ways = { way: wayForward(codeOf(error), this.#isAdmin), anew: home !== null && codeOf(error) === TOO_LONG }
    const words = isBack && isAway(error) ? sentenceOfUnsent(error) : refusalWords(error, this.#isAdmin)
    if (home === this.#id) this.#composer.showProblem(words, ways)
    else toast(words, { kind: "danger" })
    this.#emit("refused", {})
    if (home === this.#id && codeOf(error) === SPENT) this.refresh().catch(() => undefined) // it shows what was sent before
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

/** @param {string} id @returns {Promise<Stored>} */
const storedOf = (id) => inTime((signal) => api.get(`/api/conversations/${encodeURIComponent(id)}`, { signal }))
