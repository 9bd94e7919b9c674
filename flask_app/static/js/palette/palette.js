// @ts-check
/**
 * One field for what can be done on this site and for one's conversations. Loaded when it is opened first: `app/shell` has shown its
 * dialog by then, and somebody may have typed.
 */
import { ApiError, api } from "app/api.js"
import { sentence, t } from "app/i18n.js"
import { chatHere, follow, groupsHere } from "app/palette/palette-acts.js"
import { Choices } from "app/palette/palette-choices.js"
import { addressOf, hitsAt, marked, placeOf } from "app/sidebar/search.js"
import { fromTemplate, must, slot, tell } from "app/ui.js"
import { composes } from "app/chat/writing.js"

const PAUSE = 200 // milliseconds without a key
const RECENT = 20
const SHOWN_RECENT = 5 // of these where nothing is typed

/** @typedef {import("app/palette/palette-acts.js").Act} Act */
/** @typedef {import("app/palette/palette-acts.js").Group} Group */

export class Palette {
  #dialog
  #field
  #list
  /** @type {Group[]} */
  #groups = []
  /** Conversations that something happened in last. @type {Act[]} */
  #recent = []
  /** What the server has found for the words that are typed. @type {Act[]} */
  #found = []
  /** What follows there. @type {string | null} */
  #next = null
  #said = ""
  /** What is shown. @type {Act[]} */
  #shown = []
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #awaitsHits = false
  #hasMoved = false
  /** The request under way. @type {AbortController | null} */
  #asking = null

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.#dialog = dialog
    this.#field = /** @type {HTMLInputElement} */ (must(dialog, "[data-palette-field]"))
    this.#list = must(dialog, "[data-palette-list]")
    this.#field.addEventListener("input", (event) => {
      if (!(/** @type {InputEvent} */ (event).isComposing)) this.#typed()
    })
    this.#field.addEventListener("compositionend", () => this.#typed())
    dialog.addEventListener("keydown", (event) => this.#pressed(event))
    dialog.addEventListener("close", () => this.#left())
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()) // the field keeps the focus
    this.#list.addEventListener("click", (event) => this.#choose(/** @type {Element} */ (event.target).closest("[role=option]")))
  }

  /** What can be done now, and what has been typed meanwhile. Throws ApiError. */
  async show() {
    this.#groups = await groupsHere()
    this.#typed()
    this.#recent = await recentOnes().catch(() => []) // the search tells what is wrong
    this.#draw({ anew: !this.#hasMoved })
  }

  #left() {
    this.#stop()
    this.#field.value = ""
    this.#found = []
    this.#draw()
  }

  #typed() {
    this.#stop()
    this.#found = []
    this.#next = null
    this.#said = ""
    this.#hasMoved = false
    this.#awaitsHits = this.#words !== ""
    if (this.#words) this.#timer = setTimeout(() => this.#ask(), PAUSE)
    this.#draw()
  }

  get #words() {
    return this.#field.value.trim()
  }

  #stop() {
    clearTimeout(this.#timer)
    this.#asking?.abort()
    this.#asking = null
  }

  /** The hits that follow those that are there. */
  async #ask() {
    const asking = new AbortController()
    this.#asking = asking
    try {
      const { hits, next } = await hitsAt(this.#words, this.#next, asking.signal)
      if (asking !== this.#asking) return
      const { deleting = new Set() } = (await chatHere())?.sidebar ?? {}
      this.#next = next
      this.#said = ""
      this.#found.push(...hits.filter(({ conversation_id: id }) => !deleting.has(id)).map(ofHit))
    } catch (error) {
      if (asking === this.#asking) this.#failed(error)
    }
    if (asking !== this.#asking) return
    this.#asking = null
    this.#awaitsHits = false
    this.#draw({ anew: false })
  }

  /** Whoever asks too fast need not ask again. @param {unknown} error */
  #failed(error) {
    this.#said = sentence(error)
    const seconds = error instanceof ApiError ? error.retryAfter : null
    if (seconds) this.#timer = setTimeout(() => this.#ask(), seconds * 1_000)
  }

  /** Those that fit; another key begins at the first, what the server finds later leaves the chosen one chosen. @param {{anew?: boolean}} [options] */
  #draw({ anew = true } = {}) {
    const chosen = anew ? undefined : this.#shown[this.#at]?.id
    const groups = this.#fitting()
    this.#shown = groups.flatMap(({ acts }) => acts)
    this.#list.replaceChildren(...groups.map((group) => drawnGroup(group, this.#shown)))
    this.#list.hidden = !this.#shown.length
    this.#field.setAttribute("aria-expanded", String(this.#shown.length > 0))
    this.#activate(Math.max(0, this.#shown.findIndex(({ id }) => id === chosen)))
    this.#tell()
  }

  /** @returns {Group[]} */
  #fitting() {
    const title = t("js.palette_conversations")
    const words = this.#words
    if (!words) return filled([{ title, acts: this.#recent.slice(0, SHOWN_RECENT) }, ...this.#groups])
    const titles = new Choices(this.#recent).fitting(words)
    const known = new Set(titles.map(({ id }) => id))
    const more = { id: "more", label: t("js.palette_more"), stays: true, run: () => this.#asking ?? this.#ask() }
    const found = [...titles, ...this.#found.filter(({ id }) => !known.has(id)), ...(this.#next ? [more] : [])]
    const acts = new Choices(this.#groups.flatMap((group) => group.acts)).fitting(words)
    return filled([{ title: t("js.palette_acts"), acts }, { title, acts: found }])
  }

  #tell() {
    const nothing = this.#words && !this.#shown.length && !this.#awaitsHits
    const words = this.#said || (nothing ? t("js.search_nothing", { words: this.#words }) : "")
    const place = must(this.#dialog, "[data-palette-said]")
    if (place.textContent !== words) place.textContent = words
    must(this.#dialog, "[data-palette-count]").textContent = this.#words && !words ? t("js.search_found", { count: this.#shown.length }) : ""
  }

  get #at() {
    return [...this.#options].findIndex((option) => option.ariaSelected === "true")
  }

  get #options() {
    return /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll("[role=option]"))
  }

  /** @param {number} index */
  #activate(index) {
    const options = this.#options
    const chosen = options[index]
    for (const option of options) option.ariaSelected = String(option === chosen)
    chosen?.scrollIntoView({ block: "nearest" })
    if (chosen) this.#field.setAttribute("aria-activedescendant", chosen.id)
    else this.#field.removeAttribute("aria-activedescendant")
  }

  /** @param {number} index */
  #move(index) {
    this.#hasMoved = true
    this.#activate(index)
  }

  /** Keys that an input method uses are its own. @param {KeyboardEvent} press */
  #pressed(press) {
    if (composes(press)) return
    const count = this.#shown.length
    /** @type {Record<string, () => void>} */
    const reactions = {
      ArrowDown: () => this.#move((this.#at + 1) % count),
      ArrowUp: () => this.#move((this.#at <= 0 ? count : this.#at) - 1),
      Enter: () => this.#choose(this.#options[this.#at] ?? null),
    }
    const closes = (press.ctrlKey || press.metaKey) && press.key.toLowerCase() === "k"
    const reaction = closes ? () => this.#dialog.close() : press.target === this.#field && reactions[press.key]
    if (!reaction) return
    press.preventDefault()
    reaction()
  }

  /** The dialog goes first: what is chosen may open one, or want the focus. @param {Element | null} option */
  async #choose(option) {
    const act = this.#shown[[...this.#options].indexOf(/** @type {HTMLElement} */ (option))]
    if (!act) return
    if (!act.stays) this.#dialog.close()
    try {
      await act.run()
    } catch (error) {
      tell(error)
    }
  }
}

const palette = new Palette(/** @type {HTMLDialogElement} */ (must(document, "#palette")))

export const show = () => palette.show()

/** @param {Group[]} groups */
const filled = (groups) => groups.filter(({ acts }) => acts.length > 0)

/** @returns {Promise<Act[]>} */
async function recentOnes() {
  const { deleting = new Set() } = (await chatHere())?.sidebar ?? {}
  /** @type {import("app/sidebar/list-renewal.js").Page} */
  const { conversations } = await api.get(`/api/conversations?limit=${RECENT}`)
  const there = conversations.filter(({ id }) => !deleting.has(id))
  return there.map(({ id, title }) => ({ id: `/c/${id}`, label: title, run: () => follow(`/c/${id}`) }))
}

/** @param {import("app/sidebar/search.js").Hit} hit @returns {Act} */
function ofHit(hit) {
  const path = addressOf(hit)
  const about = hit.message_id ? { about: placeOf(hit), marks: marked(hit.snippet, hit.marks) } : {}
  return { id: path, label: hit.title, ...about, run: () => follow(path) }
}

/** The heading is the group's name, which is read with its first choice. @param {Group} group @param {Act[]} all */
function drawnGroup({ title, acts }, all) {
  const group = fromTemplate("palette-group-template", { title })
  group.setAttribute("aria-label", title)
  group.append(...acts.map((act) => drawn(act, all.indexOf(act))))
  return group
}

/** @param {Act} act @param {number} index */
function drawn({ label, icon, about = "", marks = [], chosen = false }, index) {
  const option = fromTemplate("palette-option-template", { label, about, chosen: chosen ? t("js.model_is_chosen") : "" })
  option.id = `palette-${index}`
  option.classList.toggle("palette__option--chosen", chosen)
  if (icon) slot(option, "icon").replaceChildren(icon.cloneNode(true))
  slot(option, "snippet").replaceChildren(...marks)
  return option
}
