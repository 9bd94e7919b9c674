// @ts-check
/**
 * Speaking instead of typing, by the browser's own recognition: what it is sure of comes into the text where the caret is, what it
 * still guesses stands below. Loaded with the first press on the microphone.
 */
import { t } from "app/i18n.js"
import { announce, must, toast } from "app/ui.js"
import { putInto } from "app/chat/put-into.js"
import { composes, isTouched, sendsMessage } from "app/chat/writing.js"

/** @typedef {EventTarget & {lang: string, interimResults: boolean, continuous: boolean, start(): void, stop(): void, abort(): void}} Recognition */
/** @typedef {Event & {results: SpeechRecognitionResultList}} Heard */

/** @type {Record<string, string>} */
const PROBLEMS = {
  "not-allowed": "js.dictate_not_allowed",
  "service-not-allowed": "js.dictate_not_allowed",
  "audio-capture": "js.dictate_no_microphone",
  "no-speech": "js.dictate_nothing",
  network: "js.dictate_network",
  "language-not-supported": "js.dictate_language",
}
const CLOSED_UP = /[\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Ps}\p{Pi}、。，！？：；]$/u // nothing stands between this and the next word
const CLOSING = /^[\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Pe}\p{Pf}.,!?:;、。，！？：；]/u

export class Dictation {
  #area
  #button
  #place
  /** While somebody is listened to. @type {Recognition | null} */
  #recognition = null
  #guess = ""
  #taken = 0 // results whose words are in the text

  /** @param {HTMLElement} form @param {import("app/chat/composer.js").Composer} composer */
  constructor(form, composer) {
    this.#area = /** @type {HTMLTextAreaElement} */ (must(form, "[data-composer-text]"))
    this.#button = must(form, "[data-dictate]")
    this.#place = must(form, "[data-heard]")
    this.#button.addEventListener("click", () => (this.#recognition ? this.#recognition.stop() : this.start()))
    form.addEventListener("keydown", (event) => event.key === "Escape" && !composes(event) && this.#recognition?.stop())
    this.#area.addEventListener("keydown", (event) => sendsMessage(event) && this.#breakOff(), { capture: true })
    form.addEventListener("submit", () => this.#breakOff(), { capture: true }) // what is shown is sent too
    composer.addEventListener("leaving", () => this.#breakOff())
    document.addEventListener("visibilitychange", () => document.hidden && this.#breakOff())
  }

  start() {
    const { SpeechRecognition, webkitSpeechRecognition } = /** @type {any} */ (globalThis)
    /** @type {Recognition} */
    const recognition = new (SpeechRecognition ?? webkitSpeechRecognition)()
    recognition.lang = languageToHear(document.documentElement.lang, navigator.languages)
    recognition.interimResults = true
    recognition.continuous = !isTouched() // phones hear what goes on for long twice
    this.#recognition = recognition
    this.#taken = 0
    this.#guess = ""
    recognition.addEventListener("start", () => this.#listens())
    recognition.addEventListener("result", (event) => recognition === this.#recognition && this.#hear(/** @type {Heard} */ (event)))
    recognition.addEventListener("error", (event) => recognition === this.#recognition && tellProblem(/** @type {any} */ (event).error))
    recognition.addEventListener("end", () => recognition === this.#recognition && this.#end())
    this.#button.setAttribute("aria-pressed", "true")
    try {
      recognition.start()
    } catch (error) {
      console.warn(error)
      this.#end()
      tellProblem("")
    }
  }

  #listens() {
    this.#show()
    announce(t("js.dictate_listening"))
  }

  /** Results become final in their order. @param {Heard} event */
  #hear({ results }) {
    for (let result = results[this.#taken]; result?.isFinal; result = results[this.#taken]) {
      this.#write(result[0]?.transcript ?? "")
      this.#taken++
    }
    this.#guess = [...results].filter(({ isFinal }) => !isFinal).map((result) => result[0]?.transcript ?? "").join("")
    this.#show()
  }

  /** @param {string} words */
  #write(words) {
    const { value, selectionStart, selectionEnd } = this.#area
    const text = fitted(value.slice(0, selectionStart), words, value.slice(selectionEnd))
    if (text) putInto(this.#area, text)
  }

  #show() {
    this.#place.hidden = !this.#recognition
    this.#place.textContent = this.#guess.trim() || t("js.dictate_listening")
  }

  /** What was guessed so far stays where it was said. */
  #end() {
    this.#write(this.#guess)
    this.#guess = ""
    this.#recognition = null
    this.#button.setAttribute("aria-pressed", "false")
    if (!this.#place.hidden) announce(t("js.dictate_ended"))
    this.#show()
  }

  /** Nobody is listened to any more. */
  #breakOff() {
    const recognition = this.#recognition
    if (!recognition) return
    this.#end()
    recognition.abort()
  }
}

/** @param {string} problem as browsers call it */
function tellProblem(problem) {
  if (problem === "aborted") return
  toast(t(PROBLEMS[problem] ?? "js.dictate_failed"), { kind: problem === "no-speech" ? "plain" : "danger" })
}

/** What was heard, with a blank on either side where words need one. @param {string} before @param {string} words @param {string} after */
export function fitted(before, words, after) {
  const bare = words.trim()
  if (!bare) return ""
  const first = !before || CLOSED_UP.test(before) || CLOSING.test(bare) ? "" : " "
  const last = !after || CLOSED_UP.test(bare) || CLOSING.test(after) ? "" : " "
  return first + bare + last
}

/**
 * The page's language as the reader's browser names it with its region, else with the region where most speak it.
 * @param {string} page @param {readonly string[]} preferred
 */
export function languageToHear(page, preferred) {
  const { language, script, region } = new Intl.Locale(page).maximize()
  const own = preferred.find((tag) => {
    const named = localeOf(tag)
    return named?.region && named.language === language && named.maximize().script === script
  })
  return own ?? `${language}-${region}`
}

/** Systems name some that are no language tags. @param {string} tag */
function localeOf(tag) {
  try {
    return new Intl.Locale(tag)
  } catch {
    return null
  }
}
