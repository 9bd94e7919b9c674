// @ts-check
/** Messages that were sent while an answer was being written: they wait for their turn. Kept by the tab, as drafts are. */
import { ApiError } from "app/api.js"
import { notesOf } from "app/chat/writing.js"

/** @typedef {import("app/chat/composer.js").Outgoing} Outgoing */
/** @typedef {{after: string, isHeld: boolean, messages: Outgoing[]}} Line */

/** @type {Line} */
const NONE = { after: "", isHeld: false, messages: [] }

/**
 * A line of messages for each conversation: the first is asked once the answer `after` has come whole. A line that is held waits
 * for the reader's word. Emits "changed" {conversation}.
 */
export class Queue extends EventTarget {
  #notes
  /** @type {Map<string, Line>} */
  #lines
  /** The keys of what is just being asked here. @type {Set<string>} */
  #underWay = new Set()
  /** Conversations whose line broke: held by this page, and not by the next, since a page that is left breaks its lines. @type {Set<string>} */
  #cutOff = new Set()

  constructor(notes = notesOf("waiting")) {
    super()
    this.#notes = notes
    this.#lines = new Map(JSON.parse(notes.read(null) || "[]"))
  }

  /** Those in which something waits. */
  get conversations() {
    return [...this.#lines.keys()]
  }

  /** @param {string | null} conversation @returns {Line} */
  of(conversation) {
    const line = this.#lines.get(conversation ?? "") ?? NONE
    return this.#cutOff.has(conversation ?? "") ? { ...line, isHeld: true } : line
  }

  /** What still stands there to be seen. @param {string | null} conversation */
  waitingIn(conversation) {
    return this.of(conversation).messages.filter(({ idempotencyKey: key }) => !this.#underWay.has(key))
  }

  /** Whose turn it is, unless the line is held. @param {string} conversation */
  next(conversation) {
    const { isHeld, messages } = this.of(conversation)
    return isHeld ? null : (messages[0] ?? null)
  }

  /** To send is the reader's word. @param {string} conversation @param {Outgoing} message @param {string} after the answer that is being written */
  add(conversation, message, after) {
    this.#cutOff.delete(conversation)
    this.#change(conversation, { after, isHeld: false, messages: [...this.of(conversation).messages, message] })
  }

  /** It does not wait any more. @param {string} conversation @param {string} key */
  takeOut(conversation, key) {
    const { messages } = this.of(conversation)
    const message = messages.find(({ idempotencyKey }) => idempotencyKey === key)
    this.#change(conversation, { messages: messages.filter((each) => each !== message) })
    return message
  }

  /** It waits again, where it did in that line. @param {string} conversation @param {Outgoing} message @param {Line} before */
  putBack(conversation, message, { after, isHeld, messages }) {
    const now = this.#lines.get(conversation) ?? { after, isHeld, messages: [] }
    this.#change(conversation, { ...now, messages: now.messages.toSpliced(messages.indexOf(message), 0, message) })
  }

  /** It is being asked. @param {string} conversation @param {string} key */
  tries(conversation, key) {
    this.#underWay.add(key)
    this.#change(conversation, {})
  }

  /** It has begun: the next one waits for its answer. @param {string} conversation @param {string} key @param {string} answer */
  begun(conversation, key, answer) {
    this.#underWay.delete(key)
    const { messages } = this.of(conversation)
    const left = messages.filter(({ idempotencyKey }) => idempotencyKey !== key)
    if (left.length < messages.length) this.#change(conversation, { after: answer, messages: left })
  }

  /** It could not be asked. @param {string} conversation @param {string} key @param {unknown} error */
  refuse(conversation, key, error) {
    this.#underWay.delete(key)
    const isRefused = error instanceof ApiError && error.status > 0
    if (!isRefused) this.#cutOff.add(conversation)
    this.#change(conversation, isRefused ? { isHeld: true } : {})
  }

  /** What is answered among these has been asked, though this page has not heard of it. @param {string} conversation @param {import("app/chat/branch-view.js").Message[]} stored */
  compare(conversation, stored) {
    for (const { idempotencyKey: key } of this.of(conversation).messages) {
      const answer = stored.find((message) => message.idempotency_key === key)
      if (answer) this.begun(conversation, key, answer.id)
    }
  }

  /** @param {string | null} conversation */
  hold(conversation) {
    if (conversation && this.next(conversation)) this.#change(conversation, { isHeld: true })
  }

  /** The reader has the conversation go on: with this answer, where it is another one. @param {string | null} conversation @param {string} [answer] */
  goOn(conversation, answer = this.of(conversation).after) {
    this.#cutOff.delete(conversation ?? "")
    if (conversation && this.#lines.has(conversation)) this.#change(conversation, { after: answer, isHeld: false })
  }

  /** Nothing waits there any more; gives what did. @param {string} conversation */
  forget(conversation) {
    const { messages } = this.of(conversation)
    if (messages.length) this.#change(conversation, { messages: [] })
    return messages
  }

  /** @param {string} conversation @param {Partial<Line>} changes */
  #change(conversation, changes) {
    const line = { ...(this.#lines.get(conversation) ?? NONE), ...changes }
    if (line.messages.length) this.#lines.set(conversation, line)
    else this.#lines.delete(conversation)
    this.#notes.keep(null, this.#lines.size ? JSON.stringify([...this.#lines]) : "")
    this.dispatchEvent(new CustomEvent("changed", { detail: { conversation } }))
  }
}
