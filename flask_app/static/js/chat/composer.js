// @ts-check
/**
 * Where a message is written. Emits "send" with {text, model, thinking, idempotencyKey}, "wait" with the same while an answer is
 * written, "stop", "anew": what is written goes into a new conversation, "editlast": the last question is to be changed, and "leaving"
 * for another conversation, "changed" with what is written, and "modelchange"; "attach": files are to go along again.
 * Words leave the text area when they are sent, and come back when they were not taken.
 */
import { THINKING_CHOICE, asAsked, byteLength, wayOf, waysOf } from "app/api.js"
import { sentenceOfSize, t } from "app/i18n.js"
import { must, slot, toast } from "app/ui.js"
import { Hours } from "./composer/hours.js"
import { nameBriefly } from "./composer/model-names.js"
import { Switches } from "./composer/switches.js"
import { toolsMenu } from "./composer/tools-menu.js"
import { Drafts, Unsent, changesLast, fitToText, inParagraphs, notesOf, sendsMessage } from "app/chat/writing.js"

const MODEL_CHOICE = "model"

/** @typedef {{id: string, name: string, label: string, provider: string, thinking: boolean, efforts: string[], demo: boolean, context_tokens: number | null, sees: boolean, peak: import("app/chat/composer/hours.js").Peak | null}} Model */
/** @typedef {{id: string, label: string, instead_of: string}} Follower of a model that is gone */
/** @typedef {{model?: string, thinking?: boolean | string, search?: true, tools?: string[]}} Choice who is to answer, and how: thinking first or not, or with an effort, or once the web was searched, or calling tools */
/** @typedef {{name: string, model: string | null, thinking: boolean | string | null}} Assistant `model` by its name; null is as usual */
/** @typedef {{text: string, files?: import("app/chat/file-list.js").MessageFile[], assistant?: string, idempotencyKey: string} & Choice} Outgoing */

export class Composer extends EventTarget {
  #form
  #text
  #select
  #thinking
  #sendButton
  #stopButton
  /** Where is written: a conversation, or a new one. @type {string | null} */
  place = null
  /** @type {"idle" | "sending" | "answering"} */
  #state = "idle"
  #early = "" // what was written before this page's scripts had come
  #usual = "" // the model that the person has chosen
  #drafts = new Drafts()
  #unsent = new Unsent()
  #search
  #tools
  #hours
  #isChosen = false // has the person chosen a model, or how it thinks, in this place?
  /** What goes along, once something does: app/chat/attaching puts it here. @type {import("app/chat/attached-files.js").AttachedFiles | null} */
  attached = null
  /** The same, or until then what the tab has noted: it is shown once that is loaded. */
  #along = () => this.attached ?? notesOf("files")
  /** The one that is to answer in a new conversation. @type {(Assistant & {id: string, icon: string, tokens: number}) | null} */
  assistant = null
  /** @type {Model[]} */ #models
  #sendHint

  /** @param {HTMLFormElement} form @param {{models: Model[], default_model: string | null}} state */
  constructor(form, state) {
    super()
    this.#form = form
    this.#text = /** @type {HTMLTextAreaElement} */ (must(form, "[data-composer-text]"))
    this.#select = /** @type {HTMLSelectElement} */ (must(form, "[data-model]"))
    this.#thinking = /** @type {HTMLSelectElement} */ (must(form, "[data-thinking]"))
    this.#sendButton = /** @type {HTMLButtonElement} */ (must(form, "[data-send]"))
    this.#stopButton = must(form, "[data-stop]")
    ;[this.#models, this.#early] = [state.models, this.#text.value]
    this.#sendHint = this.#sendButton.title
    this.#hours = new Hours(must(form, "[data-peak]"), this.#models, () => this.#select.value)
    this.#offerModels(state.default_model)
    this.#search = new Switches(form, "[data-search-web]", notesOf("search"))
    this.#tools = new Switches(form, "[data-tool]", notesOf("tools"), toolsMenu(form))
    this.#listen()
  }

  /** Turns to another conversation and its draft; a new one may have an assistant. @param {string | null} conversation @param {Composer["assistant"]} [assistant] */
  moveTo(conversation, assistant = null) {
    this.dispatchEvent(new Event("leaving"))
    ;[this.place, this.assistant, this.#isChosen] = [conversation, assistant, false]
    this.#form.toggleAttribute("data-assisted", assistant !== null)
    for (const switches of [this.#search, this.#tools]) switches.moveTo(conversation)
    this.write(inParagraphs(this.#drafts.read(conversation), this.#early))
    this.#early = ""
    const lost = this.#unsent.takeLost(conversation)
    if (lost) this.putFirst(conversation, lost.text, lost.files)
    this.hideProblem()
    this.goOnWith(null, assistant)
  }

  /** As the conversation's assistant has it, unless the person has chosen; without one as usual. @param {Follower | null} follower of a model that is gone: that is said @param {Assistant | null} [assistant] */
  goOnWith(follower, assistant = null) {
    if (assistant && this.#isChosen) return
    const own = this.#models.find(({ name }) => name === assistant?.model)
    const gone = assistant?.model ? t("js.assistant_model_gone", { old: assistant.model, name: assistant.name }) : ""
    const note = must(this.#form, "[data-model-note]")
    note.textContent = own ? "" : follower ? t("js.model_gone", { old: follower.instead_of, name: follower.label }) : gone
    note.hidden = !note.textContent
    this.#select.value = own?.id ?? follower?.id ?? this.#usual
    this.#showThinking(assistant?.thinking ?? undefined)
  }

  /** What was sent has begun. @param {string | null} conversation where it was written @param {string} idempotencyKey */
  taken(conversation, idempotencyKey) {
    this.#unsent.forget(conversation, idempotencyKey)
  }

  /** A new conversation has got its id; the words in the text area stay. @param {string} conversation */
  adopt(conversation) {
    this.#drafts.keep(this.place, "")
    this.#drafts.keep(conversation, this.#text.value)
    for (const noted of [this.#along(), this.#search, this.#tools]) noted.move(this.place, conversation)
    this.place = conversation
  }

  /** How the next message is to be answered. @returns {Choice} */
  get choice() {
    const [searches, tools] = [this.#search.on.length > 0, this.#tools.on]
    const beside = { ...(searches ? { search: /** @type {true} */ (true) } : {}), ...(tools.length ? { tools } : {}) }
    return { model: this.#select.value || undefined, thinking: asAsked(this.#thinking.value), ...beside }
  }

  /** The same for a question that another model has answered; where that is gone, as for the next message. @param {string | null} model its id or name */
  choiceOf(model) {
    const known = this.#models.find(({ id, name }) => id === model || name === model)
    return known ? { ...this.choice, model: known.id, thinking: asAsked(wayOf(known, asAsked(this.#thinking.value))) } : this.choice
  }

  /** The models that can answer, named as they are offered. */
  get models() {
    return this.#models.map(({ id, name, context_tokens, sees }, index) => ({ id, name, context_tokens, sees, label: this.#select.options[index]?.text ?? name }))
  }

  focus() {
    this.#text.focus({ preventScroll: true })
  }

  /** @param {string} text */
  write(text) {
    if (this.#text.value !== text) this.#text.value = text // an input method goes on in words that stay
    this.#text.dispatchEvent(new Event("rewritten", { bubbles: true }))
    this.#changed()
  }

  /**
   * Words that could not be sent come back to where they were written, here or in another conversation's draft.
   * @param {string | null} conversation @param {Outgoing} outgoing
   */
  giveBack(conversation, outgoing) {
    this.#unsent.giveBack(conversation, outgoing)
    this.putFirst(conversation, outgoing.text, outgoing.files)
  }

  /** What was being written in one conversation goes into a new one; says whether there was anything. @param {string} conversation */
  handOver(conversation) {
    const text = conversation === this.place ? this.#text.value : this.#drafts.read(conversation)
    this.#drafts.keep(conversation, "")
    if (text.trim()) this.putFirst(null, text)
    return (this.#along().move(conversation, null) && this.dispatchEvent(new Event("attach"))) || text.trim() !== ""
  }

  /** Before what is being written there. @param {string | null} conversation @param {string} text @param {Outgoing["files"]} [files] */
  putFirst(conversation, text, files = []) {
    if (conversation === this.place) this.write(inParagraphs(text, this.#text.value))
    else this.#drafts.keep(conversation, inParagraphs(text, this.#drafts.read(conversation)))
    if (files.length && this.#along().putFirst(conversation, files)) this.dispatchEvent(new Event("attach"))
  }

  /** While something is being sent nothing else is; while an answer is written, what is sent waits. */
  set state(/** @type {"idle" | "sending" | "answering"} */ state) {
    this.#state = state
    this.#showButtons()
  }

  /** Is something that goes along still on its way, or noted, and what shows it not yet loaded? */
  #isHeld = () => this.attached?.isComing(this.place) ?? (this.#form.querySelector("[data-attach]") !== null && notesOf("files").read(this.place) !== "")

  /** What goes along has changed. */
  refresh() {
    this.#showButtons()
    this.dispatchEvent(new Event("changed"))
  }

  #showButtons() {
    const focused = document.activeElement
    const isEmpty = !this.#text.value.trim() && !this.attached?.has(this.place)
    this.#sendButton.disabled = isEmpty || (this.attached !== null && this.#isHeld())
    this.#sendButton.title = this.#isHeld() ? t("js.files.wait") : this.#sendHint
    this.#sendButton.hidden = this.#state === "sending" || (this.#state === "answering" && isEmpty)
    this.#stopButton.hidden = this.#state === "idle"
    if (focused instanceof HTMLButtonElement && focused.hidden && this.#form.contains(focused)) this.focus()
  }

  /** @param {string} text @param {{way?: import("app/chat/answer.js").Way | null, anew?: boolean}} [options] */
  showProblem(text, { way = null, anew = false } = {}) {
    const place = must(this.#form, "[data-composer-error]")
    const link = /** @type {HTMLAnchorElement} */ (slot(place, "link"))
    link.hidden = !way
    link.href = way?.href ?? ""
    link.textContent = way?.label ?? ""
    must(place, "[data-anew]").hidden = !anew
    slot(place, "text").textContent = text
    place.hidden = false
  }

  hideProblem() {
    must(this.#form, "[data-composer-error]").hidden = true
  }

  #listen() {
    const [microphone, anew] = [must(this.#form, "[data-dictate]"), must(this.#form, "[data-anew]")]
    microphone.hidden = !isSecureContext || !("SpeechRecognition" in globalThis || "webkitSpeechRecognition" in globalThis)
    microphone.addEventListener("pointerdown", (event) => event.preventDefault()) // the caret stays where words are to come
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#send()
    })
    this.#text.addEventListener("keydown", (event) => {
      const changes = changesLast(event) && !this.#text.value
      if (!changes && !sendsMessage(event)) return
      event.preventDefault()
      if (changes) this.dispatchEvent(new Event("editlast"))
      else this.#send()
    })
    this.#text.addEventListener("input", () => this.#changed())
    this.#stopButton.addEventListener("click", () => this.dispatchEvent(new Event("stop")))
    anew.addEventListener("click", () => this.dispatchEvent(new Event("anew")))
    this.#select.addEventListener("change", () => this.#modelChosen())
    this.#thinking.addEventListener("change", () => localStorage.setItem(THINKING_CHOICE, this.#thinking.value))
    for (const field of [this.#select, this.#thinking]) field.addEventListener("change", () => (this.#isChosen = true))
  }

  #send() {
    const [text, files] = [this.#text.value.trim(), this.attached?.factsOf(this.place) ?? []]
    if (this.#isHeld()) return this.dispatchEvent(new Event("attach")) && toast(t("js.files.wait"))
    if (!text && !this.attached?.has(this.place)) return
    if (this.#state === "sending") return toast(t("js.wait_for_answer"))
    const problem = sentenceOfSize(byteLength(text))
    if (problem) return this.showProblem(problem)
    const assistant = this.place === null && this.assistant ? { assistant: this.assistant.id } : {}
    const draft = { text, ...(files.length ? { files } : {}), ...assistant, ...this.choice }
    const detail = { ...draft, idempotencyKey: this.#unsent.keyOf(this.place, draft) ?? this.#drafts.keyOf(this.place) }
    const waits = this.#state === "answering"
    if (waits) this.#unsent.forget(this.place, detail.idempotencyKey)
    else this.#unsent.send(this.place, detail)
    this.hideProblem()
    this.#drafts.renewKey(this.place)
    this.attached?.leave(this.place)
    this.write("")
    this.dispatchEvent(new CustomEvent(waits ? "wait" : "send", { detail }))
  }

  #changed() {
    this.#drafts.keep(this.place, this.#text.value)
    fitToText(this.#text)
    this.refresh()
  }

  /** @param {string | null} preferred */
  #offerModels(preferred) {
    const nameOf = (/** @type {Model} */ { label, name }) => label || name
    for (const model of this.#models) {
      const isShared = this.#models.some((other) => other !== model && nameOf(other) === nameOf(model))
      this.#select.add(new Option(isShared ? `${nameOf(model)} · ${model.provider}` : nameOf(model), model.id))
    }
    nameBriefly(this.#select)
    const remembered = localStorage.getItem(MODEL_CHOICE)
    const chosen = this.#models.find(({ id }) => id === remembered) ?? this.#models.find(({ id, name }) => id === preferred || name === preferred)
    this.#select.value = chosen?.id ?? ""
    must(this.#form, "[data-model-field]").hidden = !this.#models.length
    this.#modelChosen()
  }

  #modelChosen() {
    this.#usual = this.#select.value
    if (this.#usual) localStorage.setItem(MODEL_CHOICE, this.#usual)
    this.#showThinking()
  }

  /** What depends on the model that is chosen. @param {boolean | string} [wanted] how it is to think, where that is not as usual */
  #showThinking(wanted) {
    const model = this.#models.find(({ id }) => id === this.#select.value)
    const ways = waysOf(model)
    must(this.#form, "[data-thinking-field]").hidden = !ways.length
    this.#thinking.replaceChildren(...ways.map((way) => new Option(t(`js.think_${way}`), way)))
    this.#thinking.value = wayOf(model, wanted)
    this.#hours.show()
    this.dispatchEvent(new Event("modelchange"))
  }

  /** Is it still the hour that it was? */
  lookAtHours() {
    return this.#hours.look()
  }
}
