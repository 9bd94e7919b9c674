// @ts-check
/**
 * A temporary chat: its messages are this page's alone, and with a question go all that lead to it. Whoever leaves while there are
 * some is asked first.
 */
import { Conversation as Stored } from "app/chat/conversation.js"
import { t } from "app/i18n.js"
import { RunStream } from "app/chat/run-stream.js"
import { confirmDialog } from "app/ui.js"
import { opensInTab } from "app/chat/writing.js"

/** @typedef {import("app/chat/composer.js").Outgoing} Outgoing */
/** @typedef {import("app/chat/thread.js").Shown} Shown */

const NOTHING = { messages: [], goes_on_with: null, assistant: null, updated_at: "", running: false, pinned_at: null, archived: false, folder_id: null }

/** @type {Conversation | null} the one on the page */
let shown = null
let isLeft = false

/** Goes to another page of the site, unless the reader would rather stay. @param {string} address */
export async function leaveFor(address) {
  const words = { title: t("js.temporary_leave"), text: t("js.temporary_leave_text"), action: t("js.temporary_leave_act") }
  if (shown && !shown.isEmpty && !(await confirmDialog(words))) return
  await shown?.stop()
  isLeft = true
  location.assign(address)
}

export class Conversation extends Stored {
  /** @param {HTMLElement} root @param {import("app/chat/composer.js").Composer} composer @param {boolean} isAdmin */
  constructor(root, composer, isAdmin) {
    super(root, composer, isAdmin, (said, outgoing) => new TemporaryStream(said, outgoing))
    shown = this
    addEventListener("beforeunload", (event) => this.isEmpty || isLeft || event.preventDefault())
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) location.reload() // it was gone when it was left
    })
    document.addEventListener("click", followLink, { capture: true })
  }

  /** Begins one. @override @param {string} id */
  async open(id) {
    await super.open(id, { ...NOTHING, id, title: t("js.temporary") })
  }

  /** Nobody else writes in it. @override */
  async refresh() {}

  /** Nobody can come back to an answer that is being written. @override */
  leave() {
    this.stop().catch(() => undefined)
    super.leave()
  }
}

/** @param {MouseEvent} press */
function followLink(press) {
  const link = /** @type {Element} */ (press.target).closest("a")
  if (!link?.href || link.getAttribute("href")?.startsWith("#") || !opensInTab(link, press)) return
  press.preventDefault()
  press.stopPropagation()
  leaveFor(link.href)
}

/** An answer to the last of these messages. */
class TemporaryStream extends RunStream {
  #question

  /** @param {Shown[]} said @param {Outgoing} outgoing */
  constructor(said, { model, thinking, idempotencyKey }) {
    const messages = said.map((message) => ({ role: "question" in message ? "assistant" : "user", content: message.text }))
    super({ path: "/api/temporary/answers", body: { messages, model, thinking, idempotency_key: idempotencyKey } })
    this.#question = said.at(-1)
  }

  /** There is nothing stored that it could go on from. @override */
  get wasInterrupted() {
    return false
  }

  /** Its messages get their ids here: the server has none for them. @override @param {Event} event */
  dispatchEvent(event) {
    if (event.type === "start") {
      const { detail } = /** @type {CustomEvent} */ (event)
      detail.message_id = detail.run_id
      detail.user_message_id = this.#question?.id ?? `question-${detail.run_id}`
    }
    return super.dispatchEvent(event)
  }
}
