// @ts-check
/**
 * A list of conversations that may be of thousands: drawn are those near what is seen of it, its top, and those that are held; the
 * others leave their room. What is drawn once stays the same element as long as it says the same. Loaded with a list's second page.
 */
import { t } from "app/i18n.js"
import { drawn, drawnGroup } from "app/sidebar/sidebar.js"
import { must, slot } from "app/ui.js"

/** @typedef {import("app/sidebar/sidebar.js").Sidebar} Sidebar */
/** @typedef {import("app/sidebar/sidebar.js").Summary} Summary */
/** @typedef {[string, Summary[]]} Group of a day, or all that are pinned */
/** @typedef {{from: number, to: number}} Reach the first that is near, and the first that is not any more */

const WHOLE = 150 // entries of a list that is drawn whole all the same
const TOP = 40 // entries, a page of them
const AROUND = 30 // entries before and after those that are seen
const STEP = 10 // entries that come and go together

export class LongList {
  #sidebar
  #place
  #scroller
  /** @type {Group[]} */
  #groups = []
  /** @type {string | null} */
  #current = null
  /** By their titles. @type {Map<string, HTMLElement>} */
  #days = new Map()
  /** By what they say. @type {Map<string, HTMLElement>} */
  #entries = new Map()

  /** @param {Sidebar} sidebar @param {HTMLElement} place of the list */
  constructor(sidebar, place) {
    this.#sidebar = sidebar
    this.#place = place
    this.#scroller = /** @type {HTMLElement} */ (place.closest(".sidebar__list"))
    this.#scroller.addEventListener("scroll", () => this.#put(), { passive: true })
    const sizes = new ResizeObserver(() => this.#put()) // a folder above was opened, say
    for (const each of [this.#scroller, ...this.#scroller.children]) sizes.observe(each)
  }

  /** @param {Group[]} groups @param {string | null} current the one on the page */
  draw(groups, current) {
    this.#groups = groups
    this.#current = current
    this.#put()
  }

  #put() {
    const days = this.#groups.map(([title]) => this.#days.get(title) ?? drawnGroup(title))
    const reaches = this.#reaches(days)
    this.#days = new Map(this.#groups.map(([title], at) => [title, /** @type {HTMLElement} */ (days[at])]))
    const before = this.#entries
    this.#entries = new Map()
    const held = this.#held
    const count = this.#groups.reduce((sum, [, all]) => sum + all.length, 0)
    let top = count > WHOLE ? TOP : WHOLE
    for (const [at, [, all]] of this.#groups.entries()) {
      const { from, to } = /** @type {Reach} */ (reaches[at])
      const isWanted = (/** @type {number} */ place, /** @type {string} */ id) => place < top || (place >= from && place < to) || held.has(id)
      this.#putDay(slot(/** @type {HTMLElement} */ (days[at]), "items"), all, isWanted, before)
      top -= all.length
    }
    const pins = this.#place.querySelector("[data-pins]")
    if (pins) arrange(pins, days.splice(0, this.#groups[0]?.[0] === t("js.pinned_ones") ? 1 : 0)) // above folders
    arrange(must(this.#place, ":scope > [data-groups]"), days)
  }

  /** Asked of all before anything is changed. @param {HTMLElement[]} days @returns {Reach[]} */
  #reaches(days) {
    const { top, bottom } = this.#scroller.getBoundingClientRect()
    const entry = this.#place.querySelector("[data-conversation]")?.getBoundingClientRect().height || Infinity // where the list is not seen
    return days.map((day) => {
      const start = slot(day, "items").getBoundingClientRect().top
      const [first, last] = [(top - start) / entry / STEP, (bottom - start) / entry / STEP]
      return { from: Math.floor(first) * STEP - AROUND, to: Math.ceil(last) * STEP + AROUND }
    })
  }

  /** What stays wherever it is: it is open, or somebody is on it or its menu. */
  get #held() {
    const focused = document.activeElement?.closest("[data-conversation]")
    return new Set([this.#current, this.#sidebar.chosen, focused?.getAttribute("data-conversation")])
  }

  /** @param {HTMLElement} place @param {Summary[]} all @param {(at: number, id: string) => boolean} isWanted @param {Map<string, HTMLElement>} before */
  #putDay(place, all, isWanted, before) {
    const entries = []
    let next = 0
    for (let at = 0; at < all.length; at++) {
      const summary = /** @type {Summary} */ (all[at])
      if (!isWanted(at, summary.id)) continue
      entries.push(this.#entry(summary, { at, count: all.length, skipped: at - next }, before))
      next = at + 1
    }
    place.style.setProperty("--left", String(all.length - next))
    arrange(place, entries)
  }

  /** @param {Summary} summary @param {{at: number, count: number, skipped: number}} place @param {Map<string, HTMLElement>} before */
  #entry(summary, { at, count, skipped }, before) {
    const says = JSON.stringify([summary.id, summary.title, summary.running, summary.id === this.#current])
    const entry = before.get(says) ?? drawn(summary, this.#current)
    this.#entries.set(says, entry)
    entry.ariaPosInSet = String(at + 1)
    entry.ariaSetSize = String(count)
    entry.style.setProperty("--skipped", String(skipped))
    return entry
  }
}

/** These and no others, in this order; what stands right is not touched. @param {Element} place @param {Element[]} elements */
function arrange(place, elements) {
  const kept = new Set(elements)
  for (const child of [...place.children]) if (!kept.has(child)) child.remove()
  for (const [at, element] of elements.entries()) {
    if (place.children[at] !== element) place.insertBefore(element, place.children[at] ?? null)
  }
}
