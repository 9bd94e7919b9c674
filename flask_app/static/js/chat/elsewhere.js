// @ts-check
/**
 * Conversations that are not on the page: the list tells when their answers have come, and what waits in them is asked there too.
 */
import { api, isAway, isGone } from "app/api.js"
import { isWhole } from "app/chat/endings.js"
import { t } from "app/i18n.js"
import { refusalWords } from "app/refusals.js"
import { RunStream, asMessage } from "app/chat/run-stream.js"
import { watchRunning } from "app/chat/running.js"
import { toast } from "app/ui.js"

/** @typedef {import("app/chat/branch-view.js").Message} Message */

const LOOK_AGAIN = 5_000

export class Elsewhere {
  #sidebar
  #queue
  #shown
  #isAdmin
  /** Conversations in which something is just being asked. @type {Set<string>} */
  #underWay = new Set()

  /**
   * @param {import("app/sidebar/sidebar.js").Sidebar} sidebar @param {import("app/chat/queue.js").Queue} queue @param {() => string | null} shown
   * @param {{is_admin: boolean, titles: boolean}} state
   */
  constructor(sidebar, queue, shown, { is_admin: isAdmin, titles }) {
    this.#sidebar = sidebar
    this.#queue = queue
    this.#shown = shown
    this.#isAdmin = isAdmin
    for (const source of [sidebar, queue]) source.addEventListener("changed", () => this.#look())
    sidebar.addEventListener("deleted", (event) => queue.forget(/** @type {CustomEvent} */ (event).detail.id))
    this.#look()
    this.lookForTitle = watchRunning(sidebar, shown, { titles, isAwaited: () => this.#isAwaited })
  }

  /** Does the next message of another conversation wait for an answer? */
  get #isAwaited() {
    return this.#queue.conversations.some((id) => this.#goesOn(id))
  }

  #look() {
    for (const id of this.#queue.conversations) if (this.#isDue(id)) this.#ask(id)
  }

  /** Does the line of that conversation go on from here? What is archived is done with, until somebody opens it. @param {string} id */
  #goesOn(id) {
    const isElsewhere = id !== this.#shown() && !this.#sidebar.deleting.has(id) && !this.#sidebar.get(id)?.archived
    return isElsewhere && this.#queue.next(id) !== null
  }

  /** @param {string} id */
  #isDue(id) {
    return this.#goesOn(id) && !this.#underWay.has(id) && this.#sidebar.get(id)?.running === false
  }

  /** @param {string} id */
  async #ask(id) {
    this.#underWay.add(id)
    try {
      const { messages } = await api.get(`/api/conversations/${encodeURIComponent(id)}`)
      if (this.#shown() === id) return
      this.#queue.compare(id, messages)
      if (this.#queue.next(id) && this.#isLast(id, messages)) await this.#begin(id)
    } catch (error) {
      if (isGone(error)) this.#sidebar.emit("gone", { id })
      else if (isAway(error)) setTimeout(() => this.#look(), LOOK_AGAIN)
    } finally {
      this.#underWay.delete(id)
    }
  }

  /** Has the answer come that is waited for, and does nothing follow it? @param {string} id @param {Message[]} messages */
  #isLast(id, messages) {
    const { after } = this.#queue.of(id)
    const answer = messages.find((message) => message.id === after)
    const known = this.#sidebar.get(id)
    if (!known) return false
    if (isWhole(answer) && !messages.some((message) => message.parent_id === after)) return true
    if (answer?.status === "running") this.#sidebar.keep({ ...known, running: true }) // the list did not know yet
    else this.#hold(id)
    return false
  }

  /** @param {string} id */
  #hold(id) {
    this.#queue.hold(id)
    this.#tell(id, t("js.waits_after_all"))
  }

  /** @param {string} id @param {string} why what waits there is not sent */
  #tell(id, why) {
    toast(t("js.not_sent_in", { title: this.#sidebar.get(id)?.title ?? "", why }), { kind: "danger" })
  }

  /** Under the key that the page of the conversation would ask with: whoever opens it meanwhile follows the one answer. @param {string} id */
  async #begin(id) {
    const next = this.#queue.next(id)
    if (!next) return
    const { after } = this.#queue.of(id)
    const stream = new RunStream({ message: asMessage(next, id, after) })
    stream.addEventListener("start", (event) => this.#begun(next.idempotencyKey, stream, /** @type {CustomEvent} */ (event).detail))
    this.#queue.tries(id, next.idempotencyKey)
    try {
      await stream.follow()
    } catch (error) {
      this.#queue.refuse(id, next.idempotencyKey, error)
      if (isGone(error)) throw error
      this.#tell(id, refusalWords(error, this.#isAdmin))
    }
  }

  /** The answer is written on without a reader here. @param {string} key @param {RunStream} stream @param {any} start */
  #begun(key, stream, { conversation_id: id, title, message_id: answer }) {
    stream.close()
    this.#queue.begun(id, key, answer)
    this.#sidebar.touch(id, { title, running: true, archived: false })
  }
}
