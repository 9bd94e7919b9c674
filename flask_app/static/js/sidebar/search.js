// @ts-check
/**
 * Searching one's own conversations, in the place of their list. What is typed is searched for a moment later; only the answer to the
 * newest words is shown. Loaded when somebody goes to the field.
 */
import { api } from "app/api.js"
import { sentence, t } from "app/i18n.js"
import { withoutSigns } from "app/sidebar/snippets.js"
import { announce, explain, fill, fromTemplate, must, slot } from "app/ui.js"
import { composes } from "app/chat/writing.js"

const PAUSE = 200 // milliseconds without a key
const MOST_EMPTY_PAGES = 5
const { lang, dataset } = document.documentElement
const day = new Intl.DateTimeFormat(lang || "en", { dateStyle: "medium", timeZone: dataset.timezone || undefined })
/** @type {Record<string, (now: number, count: number) => number>} */
const MOVES = { ArrowDown: (now) => now + 1, ArrowUp: (now) => now - 1, Home: () => 0, End: (_, count) => count - 1 }

/**
 * @typedef {{conversation_id: string, title: string, folder: string | null, archived: boolean, message_id: string | null, role: string | null, at: string,
 *   snippet: string, marks: [number, number][]}} Hit
 */

export class Search {
  #root
  #field
  #list
  #panel
  #hits
  #more
  #words = ""
  #answered = "" // the words whose hits are shown
  /** @type {string | null} */
  #next = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  /** The request under way. @type {AbortController | null} */
  #asking = null

  /** @param {HTMLElement} root the side list */
  constructor(root) {
    this.#root = root
    this.#field = /** @type {HTMLInputElement} */ (must(root, "[data-search-field]"))
    this.#list = must(root, "[data-list]")
    this.#panel = must(root, "[data-found]")
    this.#hits = must(root, "[data-hits]")
    this.#more = must(root, "[data-hits-more]")
    this.#field.addEventListener("input", (event) => {
      if (!(/** @type {InputEvent} */ (event).isComposing)) this.#typed()
    })
    this.#field.addEventListener("compositionend", () => this.#typed())
    this.#more.addEventListener("click", () => this.#ask())
    new IntersectionObserver(([entry]) => entry?.isIntersecting && this.#ask()).observe(this.#more)
    must(root, "[data-search]").addEventListener("keydown", (event) => this.#pressed(event))
    this.#panel.addEventListener("keydown", (event) => this.#pressed(event))
    if (this.#field.value) this.#typed()
  }

  #typed() {
    const words = this.#field.value.trim()
    if (words === this.#words) return
    this.#words = words
    this.#stop()
    if (words) this.#timer = setTimeout(() => this.#begin(), PAUSE)
    else this.#show(false)
  }

  #stop() {
    clearTimeout(this.#timer)
    this.#asking?.abort()
    this.#asking = null
    this.#next = null
  }

  #begin() {
    this.#stop()
    this.#show(true)
    this.#ask({ anew: true })
  }

  /** The first page, or the one after those that are there. @param {{anew?: boolean}} [options] */
  async #ask({ anew = false } = {}) {
    if (this.#asking || (!anew && !this.#next)) return
    const asking = new AbortController()
    this.#asking = asking
    this.#panel.setAttribute("aria-busy", "true")
    try {
      const { hits, next } = await hitsAt(this.#words, anew ? null : this.#next, asking.signal)
      if (asking !== this.#asking) return
      this.#next = next
      if (anew) this.#hits.replaceChildren()
      this.#answered = this.#words
      this.#hits.append(...hits.map(drawn))
      this.#say("")
      this.#tell(hits.length)
    } catch (error) {
      if (asking !== this.#asking) return
      if (anew) this.#hits.replaceChildren()
      this.#say(sentence(error), { isError: /** @type {{code?: string}} */ (error).code !== "search_empty" })
      explain(must(this.#root, "[data-search-said]"), error)
    } finally {
      if (asking === this.#asking) {
        this.#asking = null
        this.#more.hidden = !this.#next
        this.#panel.removeAttribute("aria-busy")
      }
    }
  }

  /** @param {number} added */
  #tell(added) {
    const count = this.#hits.childElementCount
    if (!count && !this.#next) this.#say(t("js.search_nothing", { words: this.#words }))
    else if (added) announce(t(this.#next ? "js.search_found_more" : "js.search_found", { count }))
  }

  /** @param {string} text @param {{isError?: boolean}} [options] */
  #say(text, { isError = false } = {}) {
    const place = must(this.#root, "[data-search-said]")
    place.textContent = text
    place.hidden = !text
    place.classList.toggle("found__said--error", isError)
    if (text) announce(text)
  }

  /** @param {boolean} on */
  #show(on) {
    this.#panel.hidden = !on
    this.#list.hidden = on
    if (on) return
    this.#hits.replaceChildren()
    this.#more.hidden = true
    this.#say("")
    this.#panel.removeAttribute("aria-busy")
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (composes(event)) return
    const inField = event.target === this.#field
    if (event.key === "Escape") this.#leave(event)
    else if (event.key === "Enter" && inField) this.#open(event)
    else if (event.key in MOVES && (!inField || event.key === "ArrowDown")) this.#move(event)
  }

  /** Back to the list; where that is shown already the key is somebody else's. @param {KeyboardEvent} event */
  #leave(event) {
    if (!this.#field.value) return
    event.preventDefault()
    event.stopPropagation()
    this.#field.value = ""
    this.#typed()
    this.#field.focus()
  }

  /** The first hit, or what has been typed too fast for the pause. @param {KeyboardEvent} event */
  #open(event) {
    event.preventDefault()
    const first = this.#links()[0]
    if (first && this.#field.value.trim() === this.#answered) first.click()
    else if (this.#words) this.#begin()
  }

  /** Above the first hit is the field. @param {KeyboardEvent} event */
  #move(event) {
    event.preventDefault()
    const links = this.#links()
    const now = links.indexOf(/** @type {HTMLAnchorElement} */ (event.target))
    const to = MOVES[event.key]?.(now, links.length) ?? now
    if (to < 0) this.#field.focus()
    else links[Math.min(to, links.length - 1)]?.focus()
  }

  #links() {
    return [...this.#hits.querySelectorAll("a")]
  }
}

/** A page of what has these words: one can be empty although another follows. @param {string} words @param {string | null} before @param {AbortSignal} signal */
export async function hitsAt(words, before, signal) {
  for (let page = 1; ; page++) {
    const query = new URLSearchParams(before ? { q: words, before } : { q: words })
    /** @type {{hits: Hit[], next: string | null}} */
    const found = await api.get(`/api/conversations/search?${query}`, { signal })
    if (found.hits.length || !found.next || page === MOST_EMPTY_PAGES) return { ...found, hits: found.hits.map(withoutSigns) }
    before = found.next
  }
}

/** Where it is opened: at its message, where it is in one. @param {Hit} hit */
export function addressOf({ conversation_id: conversation, message_id: message, snippet, marks }) {
  const words = marked(snippet, marks).find((part) => part instanceof HTMLElement)?.textContent ?? ""
  return `/c/${conversation}${message ? `#${new URLSearchParams({ message, words })}` : ""}`
}

/** What it stands in, since when, and in which folder. @param {Hit} hit */
export function placeOf({ role, at, folder }) {
  return [t(`js.search_in_${role ?? "title"}`), day.format(new Date(at)), ...(folder ? [folder] : [])].join(" · ")
}

/** @param {Hit} hit */
function drawn(hit) {
  const { title, folder, archived, message_id: message, role, at, snippet, marks } = hit
  const item = fromTemplate("hit-template")
  const link = /** @type {HTMLAnchorElement} */ (slot(item, "link"))
  link.href = addressOf(hit)
  fill(item, { title, when: day.format(new Date(at)), who: t(`js.search_in_${role ?? "title"}`) })
  slot(item, "when").setAttribute("datetime", at)
  slot(item, "archived").hidden = !archived
  slot(item, "folder").textContent = folder ? ` · ${folder}` : ""
  slot(item, message ? "snippet" : "title").replaceChildren(...marked(snippet, marks))
  slot(item, "snippet").hidden = !message
  return item
}

/** Places in the text are counted in characters of Unicode. @param {string} text @param {[number, number][]} marks */
export function marked(text, marks) {
  const characters = [...text]
  /** @type {(string | HTMLElement)[]} */
  const parts = []
  let at = 0
  for (const [from, to] of marks) {
    const mark = document.createElement("mark")
    mark.textContent = characters.slice(from, to).join("")
    parts.push(characters.slice(at, from).join(""), mark)
    at = to
  }
  return [...parts, characters.slice(at).join("")]
}
