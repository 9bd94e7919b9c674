// @ts-check
/**
 * The list of conversations: grouped by day, renamed and deleted here, a drawer on small screens.
 * Emits "renamed" {id, title}, "deleted" {id}, "restored" {id}: that was undone, and "gone" {id}: it was deleted elsewhere.
 */
import { api, isGone } from "app/api"
import { sentence, t } from "app/i18n"
import { enterMenu, fill, fromTemplate, must, onSubmit, openDialog, placeBeside, slot, toast, useMenuKeys } from "app/ui"

const DAY = 86_400_000
const SMALL = matchMedia("(max-width: 52rem)")

/** @typedef {{id: string, title: string, updated_at: string, running: boolean}} Summary */

export class Sidebar extends EventTarget {
  #root
  #menu
  #more
  /** @type {Map<string, Summary>} */
  #conversations = new Map()
  /** @type {string | null} */
  #next
  #loading = false
  /** @type {string | null} */
  #current = null
  /** @type {string | null} the one whose menu is open */
  #chosen = null
  /** Those that are being deleted here, or as the page before was left. @type {Set<string>} */
  #deleting = new Set(JSON.parse(sessionStorage.getItem("deleted") ?? "[]"))

  /** @param {HTMLElement} root @param {{conversations: Summary[], next: string | null}} page */
  constructor(root, { conversations, next }) {
    super()
    this.#root = root
    this.#menu = must(document, "[data-conversation-menu]")
    this.#more = must(root, "[data-list-more]")
    this.#next = next
    sessionStorage.removeItem("deleted")
    this.#know(conversations)
    this.#listen()
    new Drawer(root)
    this.#draw()
  }

  /** @param {string} id */
  titleOf(id) {
    return this.#conversations.get(id)?.title ?? ""
  }

  /** @param {string | null} id */
  select(id) {
    this.#current = id
    this.#draw()
  }

  /** Something happened in a conversation: it moves to the top. @param {string} id @param {Partial<Summary>} changes */
  touch(id, changes) {
    if (this.#deleting.has(id)) return
    const known = this.#conversations.get(id) ?? { id, title: t("js.new_chat"), running: false }
    this.#conversations.set(id, { ...known, updated_at: new Date().toISOString(), ...changes })
    this.#draw()
  }

  /** Takes away the entry of one that is no longer there; says whether there was one. @param {string} id */
  forget(id) {
    const listed = this.#conversations.delete(id)
    this.#draw()
    return listed
  }

  /** Whether its deletion is under way here: whoever reads it hears of that first. @param {string} id */
  isDeleting(id) {
    return this.#deleting.has(id)
  }

  #listen() {
    this.#root.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-more]")
      if (button instanceof HTMLElement) this.#openMenu(button)
    })
    this.#more.addEventListener("click", () => this.#loadMore())
    new IntersectionObserver(([entry]) => entry?.isIntersecting && this.#loadMore()).observe(this.#more)
    useMenuKeys(this.#menu, { button: () => this.#find(this.#chosen, "[data-more]"), close: () => this.#menu.hidePopover() })
    must(this.#menu, "[data-rename]").addEventListener("click", () => this.#askTitle())
    must(this.#menu, "[data-delete]").addEventListener("click", () => this.#delete())
    const form = /** @type {HTMLFormElement} */ (must(document, "[data-rename-form]"))
    onSubmit(form, async ({ title = "" }) => {
      const id = this.#chosen ?? ""
      const renamed = await unlessGone(api.patch(addressOf(id), { title }))
      form.closest("dialog")?.close()
      if (renamed) this.#renamed(id, renamed.title)
      else this.#emit("gone", { id })
    })
  }

  async #loadMore() {
    if (!this.#next || this.#loading) return
    this.#loading = true
    try {
      const page = await api.get(`/api/conversations?before=${encodeURIComponent(this.#next)}`)
      this.#know(page.conversations)
      this.#next = page.next
      this.#draw()
    } catch (error) {
      toast(sentence(error), { kind: "danger" })
    } finally {
      this.#loading = false
    }
  }

  /** @param {Summary[]} conversations */
  #know(conversations) {
    for (const each of conversations) if (!this.#conversations.has(each.id) && !this.#deleting.has(each.id)) this.#conversations.set(each.id, each)
  }

  /** @param {HTMLElement} button */
  #openMenu(button) {
    const item = button.closest("[data-conversation]")
    this.#chosen = item instanceof HTMLElement ? (item.dataset.conversation ?? null) : null
    this.#menu.showPopover()
    placeBeside(this.#menu, button)
    enterMenu(this.#menu)
  }

  #askTitle() {
    this.#menu.hidePopover()
    const dialog = openDialog("rename-dialog")
    const input = /** @type {HTMLInputElement} */ (must(dialog, "input"))
    input.value = this.titleOf(this.#chosen ?? "")
    input.select()
  }

  /** @param {string} id @param {string} title */
  #renamed(id, title) {
    const known = this.#conversations.get(id)
    if (known) known.title = title
    this.#draw()
    this.#focusEntry(id)
    this.#emit("renamed", { id, title })
  }

  /** It leaves the list at once, and comes back where that is undone or refused. */
  async #delete() {
    const id = this.#chosen ?? ""
    this.#menu.hidePopover()
    const { deleteUnlessUndone } = await import("app/deletion") // first: what has left the list can be undone
    const known = this.#conversations.get(id)
    if (!known) return
    const beside = this.#beside(id)
    this.#deleting.add(id)
    this.forget(id)
    this.#focusEntry(beside)
    this.#emit("deleted", { id })
    const deleted = await deleteUnlessUndone(id).catch((error) => void toast(sentence(error), { kind: "danger" }))
    this.#deleting.delete(id)
    if (deleted) return
    this.#conversations.set(id, known)
    this.#draw()
    this.#emit("restored", { id })
  }

  /** @param {string} name @param {{id: string, title?: string}} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }

  /** The one below, or above where there is none. @param {string} id */
  #beside(id) {
    const entries = [...this.#root.querySelectorAll("[data-conversation]")].map((entry) => entry.getAttribute("data-conversation"))
    const at = entries.indexOf(id)
    return entries[at + 1] ?? entries[at - 1] ?? null
  }

  /** Unless the reader has gone on elsewhere. Without entries it is the way to a new one. @param {string | null} id */
  #focusEntry(id) {
    const now = document.activeElement
    const free = now === document.body || this.#root.contains(now)
    if (free) (this.#find(id, "a") ?? must(this.#root, ".sidebar__new")).focus()
  }

  /** @param {string | null} id @param {string} selector @returns {HTMLElement | null} */
  #find(id, selector) {
    return id ? this.#root.querySelector(`[data-conversation="${id}"] ${selector}`) : null
  }

  /** Whoever is on an entry stays there. */
  #draw() {
    const focused = document.activeElement
    const entry = focused?.closest("[data-conversation]")?.getAttribute("data-conversation") ?? null
    this.#drawGroups()
    if (entry) this.#find(entry, focused?.matches("a") ? "a" : "[data-more]")?.focus({ preventScroll: true })
  }

  #drawGroups() {
    const newestFirst = [...this.#conversations.values()].sort((a, b) => b.updated_at.localeCompare(a.updated_at))
    const groups = [...grouped(newestFirst)]
    must(this.#root, "[data-groups]").replaceChildren(...groups.map(([title, items]) => this.#group(title, items)))
    must(this.#root, "[data-list-empty]").hidden = newestFirst.length > 0
    this.#more.hidden = !this.#next
  }

  /** @param {string} title @param {Summary[]} conversations */
  #group(title, conversations) {
    const group = fromTemplate("conversation-group-template", { title })
    slot(group, "items").append(...conversations.map((conversation) => this.#item(conversation)))
    return group
  }

  /** @param {Summary} conversation */
  #item({ id, title, running }) {
    const item = fromTemplate("conversation-template")
    const link = /** @type {HTMLAnchorElement} */ (slot(item, "link"))
    item.dataset.conversation = id
    link.href = `/c/${id}`
    link.title = title
    if (id === this.#current) link.setAttribute("aria-current", "page")
    fill(item, { title })
    slot(item, "running").hidden = !running
    must(item, "[data-more]").setAttribute("aria-label", t("js.actions_for", { title }))
    return item
  }
}

/** The side list on a small screen: over the page, closed by Escape, its scrim, or a choice. */
class Drawer {
  #root
  #main = must(document, "[data-chat-main]")
  #scrim = must(document, "[data-scrim]")
  #opener = must(document, "[data-drawer-open]")
  #open = false

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root
    this.#opener.addEventListener("click", () => this.#set(true))
    this.#scrim.addEventListener("click", () => this.#set(false))
    root.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("a, [data-drawer-close]")) this.#set(false)
    })
    document.addEventListener("keydown", (event) => {
      const occupied = document.querySelector("dialog[open], [popover]:popover-open:not([data-toasts])")
      if (event.key === "Escape" && this.#open && !occupied) this.#set(false)
    })
    SMALL.addEventListener("change", () => this.#set(false))
    this.#apply()
  }

  /** @param {boolean} open */
  #set(open) {
    const changed = open !== this.#open
    this.#open = open
    this.#apply()
    if (changed && SMALL.matches) must(open ? this.#root : this.#main, open ? "a" : "[data-drawer-open]").focus()
  }

  #apply() {
    const shown = SMALL.matches && this.#open
    this.#root.inert = SMALL.matches && !this.#open
    this.#root.classList.toggle("sidebar--open", shown)
    this.#main.inert = shown
    this.#scrim.hidden = !shown
    this.#opener.setAttribute("aria-expanded", String(shown))
  }
}

/** @param {string} id */
const addressOf = (id) => `/api/conversations/${encodeURIComponent(id)}`

/**
 * What was answered; null where the conversation is no longer there.
 * @template T @param {Promise<T>} answered @returns {Promise<T | null>}
 */
function unlessGone(answered) {
  return answered.catch((error) => {
    if (isGone(error)) return null
    throw error
  })
}

/** @param {Summary} conversation */
function groupName({ updated_at: updatedAt }) {
  const midnight = new Date().setHours(0, 0, 0, 0)
  const then = Date.parse(updatedAt)
  if (then >= midnight) return t("js.today")
  if (then >= midnight - DAY) return t("js.yesterday")
  if (then >= midnight - 7 * DAY) return t("js.last_7_days")
  if (then >= midnight - 30 * DAY) return t("js.last_30_days")
  return new Intl.DateTimeFormat(document.documentElement.lang, { year: "numeric", month: "long" }).format(then)
}

/** @param {Summary[]} conversations */
function grouped(conversations) {
  /** @type {Map<string, Summary[]>} */
  const groups = new Map()
  for (const conversation of conversations) {
    const name = groupName(conversation)
    groups.set(name, [...(groups.get(name) ?? []), conversation])
  }
  return groups
}
