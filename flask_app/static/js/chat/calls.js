// @ts-check
/** The tools that were called for an answer: what is known of each call. The list of them is loaded with the first one. */
import { loaded } from "app/api.js"
import { t } from "app/i18n.js"
import { tell } from "app/ui.js"

/**
 * @typedef {{id: string, round: number, server: string, tool: string, title: string, arguments: string, status: "waiting" | "running" | "done" | "failed" | "refused" | "stopped",
 *   error_code: string | null, result: string, duration_ms: number | null, running_ms?: number}} Call
 *   `server`: empty where it is built in; `arguments`: JSON, as the model wrote it; `running_ms`: how long it had been running when that was heard
 */

/** Is not yet known what comes of it? @param {Call} call */
export const isOpen = ({ status }) => status === "waiting" || status === "running"

const OWN = ["web_search", "web_fetch"] // tools that are built in

/** @param {Call} call */
export const isOwn = ({ server, tool }) => !server && OWN.includes(tool)

/** What people read of it. @param {Call} call */
export const nameOf = (call) => (isOwn(call) ? t(`js.call_tool_${call.tool}`) : call.title || call.tool)

export class Calls {
  #place
  #runId
  /** @type {Map<string, Call>} */
  #known = new Map()
  /** @type {import("app/chat/call-list.js").CallList | null} */
  #list = null
  #isSettled = false

  /** @param {HTMLElement} place @param {() => string | null} runId of what is being written */
  constructor(place, runId) {
    this.#place = place
    this.#runId = runId
  }

  /** Does the answer wait for one of them? */
  get isOpen() {
    return [...this.#known.values()].some(isOpen)
  }

  /** Begins anew, as when a stream is told again from its start. */
  clear() {
    this.#list?.drop()
    this.#list = null
    this.#known.clear()
    this.#isSettled = false
    this.#place.hidden = true
    this.#place.replaceChildren()
  }

  /** Those of a stored answer. @param {Call[]} calls */
  show(calls) {
    for (const call of calls) this.#known.set(call.id, call)
    this.#isSettled = !this.isOpen
    this.#draw()
  }

  /** One has begun, or has gone on. @param {Call} call */
  take(call) {
    this.#known.set(call.id, call)
    this.#isSettled = false
    this.#draw()
  }

  /** Words of the answer follow them: they are folded away, unless the reader has them open. */
  settle() {
    if (this.#isSettled || this.isOpen) return
    this.#isSettled = true
    this.#draw()
  }

  /** Nothing more comes: what was open then has been stopped, whether that was told or not. */
  end() {
    for (const call of this.#known.values()) if (isOpen(call)) this.#known.set(call.id, { ...call, status: "stopped" })
    this.#isSettled = true
    this.#draw()
  }

  #draw() {
    this.#place.hidden = !this.#known.size
    if (!this.#known.size) return
    const draw = () => this.#list?.show([...this.#known.values()], { isSettled: this.#isSettled })
    if (this.#list) return draw()
    const load = async () => {
      const { CallList } = await loaded(import("app/chat/call-list.js"))
      if (!this.#known.size) return
      this.#list ??= new CallList(this.#place, this.#runId)
      draw()
    }
    load().catch(tell)
  }
}
