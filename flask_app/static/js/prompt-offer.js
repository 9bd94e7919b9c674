// @ts-check
/** Prompts in the text itself: / at the beginning of a line opens a list of them. Loaded with the first such /, and the list with it. */
import { api, inTime, isGone } from "app/api"
import { t } from "app/i18n"
import { PromptQuestions } from "app/prompt-questions"
import { filledIn, variablesOf } from "app/prompt-text"
import { TextList } from "app/text-list"
import { announce, fromTemplate, must, tell } from "app/ui"
import { commandIn, putInto, sendsMessage } from "app/writing"

const PATH = "/api/offered-prompts"
const FRESH = 60_000 // milliseconds for which a list is taken as it was
const PATIENCE = 10_000 // until it is asked for again, where it could not be had
const MOST_SHOWN = 50

/** @typedef {{id: string, command: string, title: string, source: "own" | "group" | "site"}} Offered */
/** @typedef {import("app/writing").Begun} Begun */

export class PromptOffer {
  #area
  #composer
  /** @type {TextList<Offered> | undefined} */
  #list
  /** @type {Offered[]} */
  #offered = []
  #freshUntil = 0
  #isBusy = false
  #questions = new PromptQuestions()

  /** @param {HTMLElement} form @param {import("app/composer").Composer} composer */
  constructor(form, composer) {
    this.#area = /** @type {HTMLTextAreaElement} */ (must(form, "[data-composer-text]"))
    this.#composer = composer
    form.addEventListener("submit", (event) => this.#hold(event), { capture: true })
    form.addEventListener("keydown", (press) => sendsMessage(press) && this.#hold(press), { capture: true })
    this.#list = new TextList(form, composer, must(form, "[data-prompts]"), {
      begun: commandIn,
      find: (words) => this.#find(words),
      draw: drawn,
      choose: (prompt, begun) => void this.#choose(prompt, begun),
      say: (count) => t("js.prompts_offered", { count }),
    })
  }

  /** What was chosen comes first: its command is not sent in its place. @param {Event} event */
  #hold(event) {
    if (!this.#isBusy) return
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  /** What is known at once; what has changed meanwhile, in another tab perhaps, a moment later. @param {string} words */
  #find(words) {
    if (performance.now() >= this.#freshUntil) void this.#renew()
    return fitting(this.#offered, words).slice(0, MOST_SHOWN)
  }

  async #renew() {
    this.#freshUntil = performance.now() + FRESH
    try {
      this.#offered = (await inTime((signal) => api.get(PATH, { signal }))).prompts
      this.#list?.look()
    } catch (error) {
      this.#freshUntil = performance.now() + PATIENCE
      tell(error)
    }
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
    putInto(this.#area, text)
    this.#list?.keepClosed(from)
    announce(t("js.prompt_put", { command: `/${command}` }))
  }
}

/**
 * Those whose command or title holds what is written: own ones first, and of each kind those whose command begins with it.
 * @template {Offered} T @param {T[]} offered @param {string} words
 */
export function fitting(offered, words) {
  const sought = folded(words)
  const rank = (/** @type {T} */ { source, command }) => (source === "own" ? 0 : 2) + (folded(command).startsWith(sought) ? 0 : 1)
  const found = offered.filter(({ command, title }) => folded(command).includes(sought) || folded(title).includes(sought))
  return found.sort((one, other) => rank(one) - rank(other))
}

/** @param {string} text */
const folded = (text) => text.normalize("NFKC").toLowerCase()

/** @param {Offered} prompt */
const drawn = ({ command, title, source }) =>
  fromTemplate("prompt-template", { command: `/${command}`, title, source: source === "own" ? "" : t("js.prompt_shared") })
