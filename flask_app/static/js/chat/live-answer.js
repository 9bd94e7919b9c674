// @ts-check
/** Says an answer to screen readers while it is written: finished sentences, gathered for a moment, into a live region. */
import { Heard } from "app/chat/heard.js"
import { t } from "app/i18n.js"
import { must } from "app/ui.js"
import { notesOf } from "app/chat/writing.js"

const PAUSE = 500 // milliseconds in which sentences are gathered: whoever listens is not interrupted by each
const MOST = 30 // pieces that stay in the page

export class LiveAnswer {
  #region = must(document, "[data-live-answer]")
  #notes = notesOf("heard")
  #runId = ""
  /** @type {import("app/chat/answer.js").Answer | null} */
  #answer = null
  #heard = hearing()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  /** A run on it begins, or is followed again: what was heard of it in this tab, or has stood there before, is not said. @param {import("app/chat/answer.js").Answer} answer @param {string} runId */
  begin(answer, runId) {
    this.leave()
    if (answer !== this.#answer) {
      const [run, ...place] = this.#notes.read(null).split(" ")
      this.#heard = run === runId ? hearing(place.map(Number)) : hearing()
      if (run !== runId) this.#heard.next(answer.drawn)
      this.#region.replaceChildren()
    }
    this.#answer = answer
    this.#runId = runId
    this.#note()
  }

  /** There is more of it. @param {import("app/chat/answer.js").Answer} answer */
  grow(answer) {
    if (answer === this.#answer) this.#timer ??= setTimeout(() => this.#say(answer, false), PAUSE)
  }

  /** Nothing more comes: the rest is said. @param {import("app/chat/answer.js").Answer} answer */
  end(answer) {
    if (answer === this.#answer) this.#say(answer, true)
  }

  /** Nothing more is said of it. */
  leave() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Nothing of it stands in the page any more. */
  clear() {
    this.leave()
    this.#answer = null
    this.#region.replaceChildren()
  }

  /** @param {import("app/chat/answer.js").Answer} answer @param {boolean} whole */
  #say(answer, whole) {
    this.leave()
    for (const text of this.#heard.next(answer.drawn, { whole })) {
      const piece = document.createElement("p")
      piece.textContent = text
      this.#region.append(piece)
    }
    while (this.#region.childElementCount > MOST) this.#region.firstElementChild?.remove()
    this.#note()
  }

  #note() {
    const { block, line, sentence } = this.#heard.at
    this.#notes.keep(null, [this.#runId, block, line, sentence].join(" "))
  }
}

/** @param {number[]} [place] */
function hearing([block = 0, line = 0, sentence = 0] = []) {
  const code = (/** @type {number} */ lines) => t("js.heard_code", { count: lines })
  return new Heard({ code, formula: t("js.read_formula") }, { block, line, sentence })
}
