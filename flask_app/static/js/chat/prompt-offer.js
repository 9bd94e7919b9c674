// @ts-check
/** Prompts in the text itself: / at the beginning of a line opens a list of them. Loaded with the first such /, and the list with it. */
import { api, inTime, isGone, loaded } from "app/api.js"
import { t } from "app/i18n.js"
import { PromptQuestions } from "app/chat/prompt-questions.js"
import { filledIn, variablesOf } from "app/prompts/prompt-text.js"
import { TextList } from "app/chat/text-list.js"
import { announce, fromTemplate, must, tell } from "app/ui.js"
import { putInto } from "app/chat/put-into.js"
import { commandIn, sendsMessage } from "app/chat/writing.js"

const PATH = "/api/offered-prompts"
const FRESH = 60_000 // milliseconds for which a list is taken as it was
const PATIENCE = 10_000 // until it is asked for again, where it could not be had
const MOST_SHOWN = 50
const LONGEST_HOLD = 2_000 // milliseconds for which what is to be sent waits for the first list

/** @typedef {{id: string, command: string, title: string, source: "own" | "group" | "site"}} Offered */
/** @typedef {import("app/chat/writing.js").Begun} Begun */

export class PromptOffer {
  #form
  #area
  #composer
  /** @type {TextList<Offered> | undefined} */
  #list
  /** @type {Offered[]} */
  #offered = []
  #isKnown = false // has a list come?
  #freshUntil = 0
  /** The first list, while it is under way and waited for: has it come? @type {Promise<boolean> | null} */
  #first = null
  #isBusy = false
  #questions = new PromptQuestions()

  /** @param {HTMLElement} form @param {import("app/chat/composer.js").Composer} composer */
  constructor(form, composer) {
    this.#form = /** @type {HTMLFormElement} */ (form)
    this.#area = /** @type {HTMLTextAreaElement} */ (must(form, "[data-composer-text]"))
    this.#composer = composer
    form.addEventListener("submit", (event) => this.#hold(event), { capture: true })
    form.addEventListener("keydown", (press) => sendsMessage(press) && this.#hold(press), { capture: true })
    this.#list = new TextList(form, composer, must(form, "[data-prompts]"), {
      begun: commandIn,
      most: MOST_SHOWN,
      find: (words) => this.#find(words),
      draw: drawn,
      choose: (prompt, begun) => void this.#choose(prompt, begun),
      say: (count) => t("js.prompts_offered", { count }),
    })
  }

  /** What was chosen comes first, and so does the first list: a command is not sent in its place. @param {Event} event */
  #hold(event) {
    const first = commandIn(this.#area) && this.#first
    if (!this.#isBusy && !first) return
    event.preventDefault()
    event.stopImmediatePropagation()
    if (first && !this.#isBusy) void this.#waitFor(first)
  }

  /** What fits the command is offered; where nothing does, or the list is late, it is sent. @param {Promise<boolean>} first */
  async #waitFor(first) {
    const [text, place, send] = [this.#area.value, this.#composer.place, must(this.#form, "[data-send]")]
    this.#isBusy = true
    this.#area.focus()
    send.setAttribute("aria-busy", "true")
    announce(t("js.prompts_coming"))
    const late = new Promise((resolve) => setTimeout(resolve, LONGEST_HOLD, null))
    const hasCome = await Promise.race([first, late])
    send.removeAttribute("aria-busy")
    this.#isBusy = false
    this.#first = null
    const isSent = hasCome === null || (hasCome && !fitting(this.#offered, commandIn(this.#area)?.words ?? "").length)
    if (isSent && this.#area.value === text && this.#composer.place === place) this.#form.requestSubmit()
  }

  /** What is known at once; what has changed meanwhile, in another tab perhaps, a moment later. @param {string} words */
  #find(words) {
    if (performance.now() >= this.#freshUntil) {
      const coming = this.#renew()
      if (!this.#isKnown) this.#first = coming
    }
    return fitting(this.#offered, words)
  }

  /** Whether the list has come; what it could not be had for is told. */
  async #renew() {
    this.#freshUntil = performance.now() + FRESH
    try {
      this.#offered = (await inTime((signal) => api.get(PATH, { signal }))).prompts
      this.#isKnown = true
      this.#list?.look()
    } catch (error) {
      this.#freshUntil = performance.now() + PATIENCE
      tell(error)
    }
    this.#first = null
    return this.#isKnown
  }

  /** @param {Offered} prompt @param {Begun} begun */
  async #choose({ id, command, title }, { from, to }) {
    const [word, place] = [this.#area.value.slice(from, to), this.#composer.place]
    const isThere = () => this.#composer.place === place && this.#area.value.slice(from, to) === word
    this.#isBusy = true
    try {
      const { text } = await inTime((signal) => api.get(`${PATH}/${id}/text`, { signal }))
      const variables = variablesOf(text)
      const values = variables.size && isThere() ? await this.#questions.ask(title, variables) : variables
      if (values && isThere()) this.#put(filledIn(text, values), from, to, command)
      else this.#list?.keepClosed(from)
    } catch (error) {
      if (isGone(error)) this.#freshUntil = 0
      tell(error)
    } finally {
      this.#isBusy = false
    }
  }

  /** In the place of its command; nothing is sent. @param {string} text @param {number} from @param {number} to @param {string} command */
  #put(text, from, to, command) {
    this.#area.focus()
    this.#area.setSelectionRange(from, to)
    this.#list?.keepClosed(from) // a text may begin with a / itself
    const word = this.#area.value.slice(from, to)
    const isTyped = putInto(this.#area, text)
    this.#list?.keepClosed(from)
    const words = t("js.prompt_put", { command: `/${command}` })
    if (isTyped) announce(words)
    else void this.#offerUndo(words, () => this.#takeBack(word, from, from + text.length))
  }

  /** For as long as nothing else is written: what is very long the browser's own undo does not know. @param {string} words @param {() => void} undo */
  async #offerUndo(words, undo) {
    const offer = await loaded(import("app/undo.js")).then(({ undoable }) => undoable(words, { undo }), tell)
    this.#composer.addEventListener("changed", () => offer?.leave(), { once: true })
  }

  /** The command stands there again. @param {string} word @param {number} from @param {number} to */
  #takeBack(word, from, to) {
    this.#area.focus()
    this.#area.setSelectionRange(from, to)
    this.#list?.keepClosed(from)
    putInto(this.#area, word)
  }
}

/**
 * Those whose command or title holds what is written: whose command it is, then whose command begins with it, then the others; of
 * each kind own ones first.
 * @template {Offered} T @param {T[]} offered @param {string} words
 */
export function fitting(offered, words) {
  const sought = folded(words)
  const kind = (/** @type {string} */ command) => (command === sought ? 0 : command.startsWith(sought) ? 1 : 2)
  const rank = (/** @type {T} */ { source, command }) => 2 * kind(folded(command)) + (source === "own" ? 0 : 1)
  const found = offered.filter(({ command, title }) => folded(command).includes(sought) || folded(title).includes(sought))
  return found.sort((one, other) => rank(one) - rank(other))
}

/** @param {string} text */
const folded = (text) => text.normalize("NFKC").toLowerCase()

/** @param {Offered} prompt */
const drawn = ({ command, title, source }) =>
  fromTemplate("prompt-template", { command: `/${command}`, title, source: source === "own" ? "" : t("js.prompt_shared") })
