// @ts-check
/** What is asked in a conversation: sent, sent again in other words, or answered again. Each has a key of its own, and asked again keeps it. */
import { Answer } from "app/chat/answer.js"
import { isGone, newIdempotencyKey } from "app/api.js"
import { IdempotencyKeys } from "app/idempotency-keys.js"
import { t } from "app/i18n.js"
import { Question } from "app/chat/question.js"
import { SPENT, codeOf } from "app/refusals.js"
import { RunStream, asMessage } from "app/chat/run-stream.js"
import { toast } from "app/ui.js"

/** @typedef {import("app/chat/composer.js").Outgoing} Outgoing */
/** @typedef {import("app/chat/thread.js").Shown} Shown */
/**
 * @typedef {object} Host the conversation on the page
 * @property {() => {conversation: string | null, isBusy: boolean}} place
 * @property {(stream: RunStream, answer: Answer, shown: Shown[]) => Promise<unknown>} begin gives what stood in the way
 * @property {(conversation: string | null, error: unknown, isBack?: boolean) => void} refused `isBack`: its words are in their field again
 */
/** @typedef {(said: Shown[], outgoing: Outgoing) => RunStream} AskWithAll has the last of these messages answered, the others being sent along */

export class Asking {
  #thread
  #branch
  #composer
  #queue
  #host
  #askWithAll
  #keys = new IdempotencyKeys()

  /**
   * @param {import("app/chat/thread.js").Thread} thread @param {import("app/chat/branch-view.js").BranchView} branch
   * @param {import("app/chat/composer.js").Composer} composer @param {import("app/chat/queue.js").Queue} queue @param {Host} host
   * @param {AskWithAll | null} askWithAll where the server has none of the messages
   */
  constructor(thread, branch, composer, queue, host, askWithAll) {
    this.#thread = thread
    this.#branch = branch
    this.#composer = composer
    this.#queue = queue
    this.#host = host
    this.#askWithAll = askWithAll
  }

  /** @param {Outgoing} outgoing */
  async send(outgoing) {
    const { conversation } = this.#host.place()
    const taken = () => this.#composer.taken(conversation, outgoing.idempotencyKey)
    const error = await this.#ask(new Question(outgoing.text, this.#branch.last, outgoing.files), outgoing, taken)
    if (!error) return
    const isSpent = codeOf(error) === SPENT
    this.#composer.giveBack(conversation, isSpent ? { ...outgoing, idempotencyKey: newIdempotencyKey() } : outgoing)
    this.#host.refused(conversation, error, true)
  }

  /** What has waited follows what is on the page; where it is refused it waits on. @param {Outgoing} message */
  async sendWaiting(message) {
    const { conversation } = this.#host.place()
    if (!conversation) return
    const { text, files, idempotencyKey: key } = message
    this.#queue.tries(conversation, key)
    const taken = (/** @type {string} */ answer) => this.#queue.begun(conversation, key, answer)
    const error = await this.#ask(new Question(text, this.#branch.last, files), message, taken)
    if (!error) return
    this.#queue.refuse(conversation, key, error)
    this.#host.refused(conversation, error)
  }

  /** What was asked in other words, with the files that stay, as another version of it. @param {Question} question @param {string} text @param {Question["files"]} files */
  async resend(question, text, files) {
    const { conversation, isBusy } = this.#host.place()
    if (isBusy) return toast(t("js.wait_for_answer"))
    const asked = { text, parentId: question.parentId, ...(files.length ? { files } : {}), ...this.#composer.choice }
    const outgoing = { text, files, ...this.#composer.choice, idempotencyKey: this.#keys.of(asked) }
    question.close()
    const asking = this.#ask(new Question(text, question.parentId, files), outgoing, () => question.forgetEdit())
    this.#thread.focusLast()
    const error = await asking
    if (!error || codeOf(error) === SPENT) this.#keys.forget(asked)
    if (!error) return
    if (question.element.isConnected && !isGone(error)) question.edit(text, files)
    else this.#composer.giveBack(conversation, outgoing)
    this.#host.refused(conversation, error, true)
  }

  /** Another answer to the same question, of the same model unless told otherwise. @param {Answer} answer @param {string | null} [model] */
  async answerAgain({ question, model: usual }, model = usual) {
    const { conversation, isBusy } = this.#host.place()
    if (!question.id) return
    if (isBusy) return toast(t("js.wait_for_answer"))
    const asked = { answerAgain: question.id, ...this.#composer.choiceOf(model) }
    const idempotencyKey = this.#keys.of(asked)
    const said = this.#branch.upTo(question.id)
    const outgoing = { text: question.text, ...this.#composer.choiceOf(model), idempotencyKey }
    const stream = this.#askWithAll?.(said, outgoing) ?? new RunStream({ ...asked, idempotencyKey })
    const answer = new Answer(question)
    const asking = this.#host.begin(stream, answer, [...said, answer])
    this.#thread.focusLast()
    const error = await asking
    if (!error || codeOf(error) === SPENT) this.#keys.forget(asked)
    if (!error) return
    if (isGone(error)) this.#composer.giveBack(conversation, { text: question.text, files: question.files, idempotencyKey: newIdempotencyKey() })
    this.#host.refused(conversation, error)
  }

  /** Sends a question; gives what stood in the way. @param {Question} question @param {Outgoing} outgoing @param {(answer: string) => void} taken is given its answer's id */
  #ask(question, outgoing, taken) {
    const { conversation } = this.#host.place()
    const answer = new Answer(question)
    const said = [...this.#branch.upTo(question.parentId), question]
    const stream = this.#askWithAll?.(said, outgoing) ?? new RunStream({ message: asMessage(outgoing, conversation, question.parentId) })
    stream.addEventListener("start", (event) => taken(/** @type {CustomEvent} */ (event).detail.message_id), { once: true })
    return this.#host.begin(stream, answer, [...said, answer])
  }
}
