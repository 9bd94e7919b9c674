// @ts-check
/** The branch of a conversation that is on the page. What was drawn once is kept, so that going to and fro costs nothing. */
import { usageOf } from "app/chat/branch-usage.js"
import { Branches } from "app/chat/branch.js"
import { isWhole } from "app/chat/endings.js"
import { t } from "app/i18n.js"
import { Question } from "app/chat/question.js"
import { cancelIdle, drawForPaper, whenIdle } from "app/markdown/turns.js"
import { announce } from "app/ui.js"
import { stepButton } from "app/chat/versions.js"
import { notesOf } from "app/chat/writing.js"

/** @typedef {import("app/chat/answer.js").Answer} Answer */
/**
 * @typedef {{id: string, parent_id: string | null, role: "user" | "assistant", text: string, files: Question["files"], search: Question["search"], reasoning: string, thinking_ms: number | null,
 *   status: string, error: {code: string, message: string} | null, model: string | null, run_id: string | null,
 *   calls?: import("app/chat/calls.js").Call[], idempotency_key: string | null, finish_reason: string | null, usage: import("app/chat/answer.js").Usage | null}} Message
 */
/** @typedef {import("app/chat/thread.js").Shown} Shown */

const AT_ONCE = 30 // messages, some screens of them

/** A message that is being written. */
const BEGUN = { text: "", files: [], search: null, reasoning: "", thinking_ms: null, status: "running", error: null, model: null, run_id: null, idempotency_key: null, finish_reason: null, usage: null }

export class BranchView {
  #thread
  #draw
  /** @type {string | null} */
  #conversation = null
  /** @type {Branches<Message>} */
  #branches = new Branches()
  /** @type {Map<string, Shown>} */
  #drawn = new Map()
  #choices = notesOf("branch")
  /** The first on the page, by its id: those before it are drawn when there is nothing else to do. */
  #first = ""
  /** The last on the page where others follow, which are drawn like that too. */
  #end = ""
  #idle = 0

  /** @param {import("app/chat/thread.js").Thread} thread @param {(message: Message, question: Question) => Answer} draw draws a stored answer */
  constructor(thread, draw) {
    this.#thread = thread
    this.#draw = draw
    thread.addEventListener("end", () => this.showEnd())
    drawForPaper(() => {
      this.#drawEarlier(Infinity)
      this.#drawFollowing(Infinity)
    })
  }

  clear() {
    cancelIdle(this.#idle)
    this.#conversation = null
    this.#first = ""
    this.#end = ""
    this.#branches = new Branches()
    for (const id of this.#drawn.keys()) this.#forget(id)
    this.#thread.clear()
  }

  /**
   * Shows the branch that was chosen last in this tab, else that of the newest message; and that of `message`, where there is one.
   * What is on the page already, and is still the same, stays as it is.
   * @param {string} conversation @param {Message[]} messages @param {string} [message]
   */
  open(conversation, messages, message = "") {
    for (const each of messages) if (this.#isOld(each)) this.#forget(each.id)
    this.#conversation = conversation
    this.#branches = new Branches(messages)
    this.#branches.choose(this.#choices.read(conversation))
    this.#branches.choose(message)
    this.show(message)
  }

  /** Do these have more than what is known here? @param {Message[]} messages */
  isBehind(messages) {
    return messages.some((message) => !this.#branches.get(message.id) || this.#isOld(message))
  }

  /** Is what is drawn of it not what it is now? One that is being written is, where it is shown. @param {Message} message */
  #isOld({ id, status, text, search }) {
    const drawn = this.#drawn.get(id)
    if (!drawn || drawn instanceof Question) return drawn !== undefined && drawn.search?.status !== search?.status
    return drawn.text !== text || (status === "running" && drawn.element.isConnected)
  }

  /** @param {string} id */
  #forget(id) {
    const drawn = this.#drawn.get(id)
    if (drawn && !(drawn instanceof Question)) drawn.drop()
    this.#drawn.delete(id)
  }

  /** Where a message is on the page. @param {string} id */
  elementOf(id) {
    return this.#branches.path.some((message) => message.id === id) ? this.#drawn.get(id)?.element : undefined
  }

  /** The last message on the page that is written down: the next one follows it. */
  get last() {
    return this.#branches.leaf?.id ?? null
  }

  /** The same, where this conversation is the one on the page. @param {string} conversation */
  lastOf(conversation) {
    return conversation === this.#conversation ? this.last : null
  }

  /** Is there one question, with one answer? */
  get isFirst() {
    return this.#branches.path.length === 2
  }

  /** Is that an answer that has come whole? */
  get isWhole() {
    return isWhole(this.#branches.leaf)
  }

  /** What the branch takes of its model's context. */
  get usage() {
    return usageOf(this.#branches.path, (id) => /** @type {Answer | undefined} */ (this.#drawn.get(id))?.usage)
  }

  /** Opens the last question to be changed. */
  editLast() {
    this.showEnd()
    const message = this.#branches.path.findLast(({ role }) => role === "user")
    const drawn = message && this.#drawn.get(message.id)
    if (drawn instanceof Question) drawn.edit()
  }

  /** From what is on the page already, else from the newest ones on. @param {string} [meant] a message that must be among them */
  show(meant = "") {
    const { path } = this.#branches
    const [known, wanted, newest] = [placeOf(path, this.#first), placeOf(path, meant), Math.max(path.length - AT_ONCE, 0)]
    const first = Math.min(known < 0 ? newest : known, wanted < 0 ? newest : wanted)
    this.#first = path[questionAt(path, first)]?.id ?? ""
    if (this.#end || known < 0) this.#end = this.#endOf(path, questionAt(path, wanted))
    this.#thread.show(this.#onPage(this.#end || this.last), { goesOn: this.#end !== "" })
    this.#showVersions()
    this.#drawLater()
  }

  /** Where the page ends for now; "" with the branch: what is being written is on the page, to be followed. @param {Message[]} path @param {number} wanted */
  #endOf(path, wanted) {
    const known = placeOf(path, this.#end)
    const end = wanted < 0 ? known : Math.max(known, wanted + AT_ONCE - 1)
    const rest = path.slice(end + 1)
    return rest.length && rest.every(({ status }) => status !== "running") ? (path[end]?.id ?? "") : ""
  }

  /** The newest ones, where the page ends before them; those between are drawn like others that are earlier. */
  showEnd() {
    if (!this.#end) return
    this.#first = this.#end = ""
    this.show()
  }

  /** The messages on the page as far as this one, which others are to follow than those of the branch. @param {string | null} id */
  upTo(id) {
    const { path } = this.#branches
    if (placeOf(path, id) > placeOf(path, this.#end || id)) this.showEnd()
    this.#end = ""
    return this.#onPage(id)
  }

  /** @param {string | null} id the last of them */
  #onPage(id) {
    const { path } = this.#branches
    return path.slice(Math.max(placeOf(path, this.#first), 0), placeOf(path, id) + 1).map((message) => this.#shownFor(message))
  }

  /** Of both sides what there is less of on the page. */
  #drawLater() {
    cancelIdle(this.#idle)
    const { path } = this.#branches
    if (!this.#end && placeOf(path, this.#first) <= 0) return
    const isFollowing = this.#end && (placeOf(path, this.#first) <= 0 || this.#thread.isLowerHalf)
    const draw = (/** @type {number} */ left) => (isFollowing ? this.#drawFollowing(left) : this.#drawEarlier(left))
    this.#idle = whenIdle((left) => (this.#thread.isMoving ? this.#drawLater() : draw(left)))
  }

  /** Draws what comes before the first on the page, each question with its answer, for so many milliseconds. @param {number} left */
  #drawEarlier(left) {
    const { path } = this.#branches
    const [end, until] = [placeOf(path, this.#first), performance.now() + left]
    if (end <= 0) return
    let at = end
    do {
      const from = questionAt(path, at - 1)
      for (const message of path.slice(from, at)) this.#shownFor(message)
      at = from
    } while (at > 0 && performance.now() < until)
    const earlier = path.slice(at, end)
    this.#thread.prepend(earlier.map((message) => this.#shownFor(message)))
    for (const message of earlier) this.#showVersion(message)
    this.#first = path[at]?.id ?? ""
    this.#drawLater()
  }

  /** Draws what comes after the last on the page. @param {number} left milliseconds */
  #drawFollowing(left) {
    if (!this.#end) return
    const { path } = this.#branches
    const [from, until] = [placeOf(path, this.#end) + 1, performance.now() + left]
    /** @type {Shown[]} */
    const following = []
    for (const message of path.slice(from)) {
      following.push(this.#shownFor(message))
      if (performance.now() >= until) break
    }
    const drawn = path.slice(from, from + following.length)
    this.#end = path.length > from + following.length ? (drawn.at(-1)?.id ?? "") : ""
    this.#thread.append(following, { goesOn: this.#end !== "" })
    for (const message of drawn) this.#showVersion(message)
    this.#drawLater()
  }

  /** To a version of the same message before (-1) or after it (1). @param {{message: Shown, by: number, button: HTMLElement}} step */
  step({ message: { id }, by, button }) {
    const siblings = this.#branches.siblings(id ?? "")
    const at = siblings.findIndex((sibling) => sibling.id === id) + by
    const next = siblings[at]
    if (!next) return
    this.#branches.choose(next.id)
    this.#thread.keepInPlace(button, () => {
      this.show(next.id)
      return stepButton(this.#shownFor(next).element, by)
    })
    announce(t("js.version_of", { at: at + 1, count: siblings.length }))
  }

  /**
   * An answer on the page, and its question, have been written down.
   * @param {Answer} answer @param {{conversation_id: string, user_message_id: string, message_id: string, found_by?: import("app/chat/file-list.js").MessageFile["found_by"]}} start
   */
  keep(answer, { conversation_id: conversation, user_message_id: questionId, message_id: answerId, found_by: by }) {
    const { question } = answer
    if (by) question.showFound(by)
    this.#conversation = conversation
    this.#place(question, { ...BEGUN, id: questionId, parent_id: question.parentId, role: "user", text: question.text, files: question.files })
    this.#place(answer, { ...BEGUN, id: answerId, parent_id: questionId, role: "assistant" })
    this.#first ||= this.#branches.path[0]?.id ?? ""
    this.#showVersions()
  }

  /** How an answer on the page has ended: one that has failed without a word is no version beside others. @param {Answer} answer @param {{status: string, finish_reason?: string | null}} end */
  noteEnd(answer, { status, finish_reason: reason = null }) {
    const message = this.#branches.get(answer.id ?? "")
    if (message) Object.assign(message, { status, finish_reason: reason, text: answer.text })
  }

  /** @param {Shown} shown @param {Message} message */
  #place(shown, message) {
    shown.id = message.id
    this.#drawn.set(message.id, shown)
    this.#branches.add(message)
  }

  /** @param {Message} message */
  #shownFor(message) {
    const known = this.#drawn.get(message.id)
    if (known) return known
    const shown = message.role === "user" ? new Question(message.text, message.parent_id, message.files, message.search) : this.#drawAnswer(message)
    shown.id = message.id
    this.#drawn.set(message.id, shown)
    return shown
  }

  /** @param {Message} message */
  #drawAnswer(message) {
    const question = this.#drawn.get(message.parent_id ?? "")
    return this.#draw(message, question instanceof Question ? question : new Question("", null))
  }

  #showVersions() {
    for (const message of this.#branches.path) this.#showVersion(message)
    if (this.#conversation) this.#choices.keep(this.#conversation, this.#branches.isNewest ? "" : (this.last ?? ""))
  }

  /** @param {Message} message */
  #showVersion(message) {
    const siblings = this.#branches.siblings(message.id)
    this.#drawn.get(message.id)?.showVersion(siblings.indexOf(message) + 1, siblings.length)
  }
}

/** @param {Message[]} path @param {string | null} id */
function placeOf(path, id) {
  return path.findIndex((message) => message.id === id)
}

/** Of the question to which a message belongs. @param {Message[]} path @param {number} place */
function questionAt(path, place) {
  return path.findLastIndex(({ role }, at) => at <= place && role === "user")
}
