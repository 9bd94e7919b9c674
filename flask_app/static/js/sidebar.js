// @ts-check
/**
 * The conversations in the side: their list, pinned ones first and the others by day, and the archive in its place.
 * What is done to one is in `app/conversation-acts`; its title is asked for here.
 * Emits "left" {id}: it was deleted or archived, "restored" {id}: that was undone, "deleted" {id}: that cannot be undone any more,
 * "gone" {id}: it was deleted elsewhere, and "changed".
 */
import { api, loaded } from "app/api"
import { formatPeriod, t } from "app/i18n"
import { Drawer, enterMenu, fill, fromTemplate, must, onSubmit, openDialog, placeBeside, slot, tell, useMenuKeys } from "app/ui"

const PAGE = 40
const LARGEST_PAGE = 100

/**
 * `touched_at`: when something happened in it here, which the server's own time tells later.
 * @typedef {{id: string, title: string, updated_at: string, running: boolean, pinned_at: string | null, archived: boolean,
 *   touched_at?: string}} Summary
 */
/** @typedef {{conversations: Summary[], pinned: Summary[], next: string | null}} Page */

export class Sidebar extends EventTarget {
  #root
  #menu
  #list
  /** @type {import("app/archive").Archive | null} once it has been opened */
  #archive = null
  /** All that are known. @type {Map<string, Summary>} */
  #conversations = new Map()
  /** @type {string | null} */
  #current = null
  /** @type {string | null} the one whose menu is open */
  #chosen = null
  /** Those that were deleted here, though that may be undone yet, or as the page before was left. @type {Set<string>} */
  deleting = new Set(JSON.parse(sessionStorage.getItem("deleted") ?? "[]"))

  /** @param {HTMLElement} root @param {Page & {thread: Summary | null}} page with the conversation that it shows */
  constructor(root, { conversations, pinned, next, thread }) {
    super()
    this.#root = root
    this.#menu = must(document, "[data-conversation-menu]")
    sessionStorage.removeItem("deleted")
    this.learn([...pinned, ...conversations, ...(thread?.archived ? [thread] : [])])
    this.#list = new List(this, must(root, "[data-recent]"), { path: "/api/conversations", archived: false, next })
    this.#listen()
    new Drawer(root)
    this.draw()
  }

  /** @param {string} id */
  get(id) {
    return this.#conversations.get(id)
  }

  /** @param {string | null} id */
  select(id) {
    this.#current = id
    this.draw()
  }

  /** Something happened in a conversation: it moves to the top. @param {string} id @param {Partial<Summary>} changes */
  touch(id, changes) {
    if (this.deleting.has(id)) return
    const unknown = { id, title: t("js.new_chat"), updated_at: "", running: false, pinned_at: null, archived: false }
    this.keep({ ...unknown, ...this.get(id), touched_at: new Date().toISOString(), ...changes })
  }

  /** What one is that was opened; one that has no entry gets one in the archive only. @param {Summary} opened */
  note({ id, title, updated_at, running, pinned_at, archived }) {
    const known = this.get(id)
    if ((known || archived) && !this.deleting.has(id)) this.keep({ ...known, id, title, updated_at, running, pinned_at, archived })
  }

  /** @param {Summary} conversation */
  keep(conversation) {
    this.#conversations.set(conversation.id, conversation)
    this.draw()
  }

  /** Those that are new; says how many there were. @param {Summary[]} conversations */
  learn(conversations) {
    const unknown = conversations.filter(({ id }) => !this.#conversations.has(id) && !this.deleting.has(id))
    for (const each of unknown) this.#conversations.set(each.id, each)
    return unknown.length
  }

  /** Takes away the entry of one that is no longer there; says whether there was one. @param {string} id */
  forget(id) {
    const listed = this.#conversations.delete(id)
    this.draw()
    return listed
  }

  /** What was pinned, archived, renamed or begun elsewhere meanwhile. Where it cannot be had the lists stay as they were. */
  async renew() {
    await Promise.all([this.#list.renew(), this.#archive?.renew()]).catch(() => undefined)
  }

  /** As they are now; changes of one make another of it. */
  get known() {
    return new Map(this.#conversations)
  }

  set known(known) {
    for (const id of this.deleting) known.delete(id)
    this.#conversations = known
    this.draw()
  }

  #listen() {
    this.#root.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-more]")
      if (button instanceof HTMLElement) this.#openMenu(button)
    })
    useMenuKeys(this.#menu, { button: () => this.#find(this.#chosen, "[data-more]"), close: () => this.#menu.hidePopover() })
    must(this.#menu, "[data-rename]").addEventListener("click", () => this.askTitle(this.get(this.#chosen ?? "")))
    for (const item of this.#menu.querySelectorAll("[data-act]")) {
      item.addEventListener("click", () => this.act(item.getAttribute("data-act") ?? ""))
    }
    onSubmit(/** @type {HTMLFormElement} */ (must(document, "[data-rename-form]")), async ({ title = "" }) => {
      const { rename } = await loaded(import("app/conversation-acts"))
      await rename(this, this.#chosen ?? "", title)
    })
    must(this.#root, "[data-archive-open]").addEventListener("click", () => {
      this.#openArchive().catch(tell)
    })
  }

  async #openArchive() {
    const { Archive } = await loaded(import("app/archive"))
    this.#archive ??= new Archive(this, this.#root)
    await this.#archive.toggle()
  }

  /** @param {HTMLElement} button */
  #openMenu(button) {
    this.#chosen = button.closest("[data-conversation]")?.getAttribute("data-conversation") ?? null
    const { pinned_at: pinnedAt, archived } = this.get(this.#chosen ?? "") ?? {}
    must(this.#menu, '[data-act="pin"]').hidden = Boolean(archived)
    fill(this.#menu, { pin: t(pinnedAt ? "js.unpin" : "js.pin"), archive: t(archived ? "js.unarchive" : "js.archive") })
    this.#menu.showPopover()
    placeBeside(this.#menu, button)
    enterMenu(this.#menu)
  }

  /** @param {string} name one of `app/conversation-acts` @param {string} [id] unless it is the one whose menu is open */
  async act(name, id = this.#chosen ?? "") {
    this.#menu.hidePopover()
    try {
      const { acts } = await loaded(import("app/conversation-acts")) // first: what has left the list can be undone
      const known = this.get(id)
      if (known) await acts[name]?.(this, known)
    } catch (error) {
      tell(error)
    }
  }

  /** At once: what is typed next is the title. @param {{id: string, title: string} | undefined} conversation */
  askTitle({ id, title } = { id: "", title: "" }) {
    this.#menu.hidePopover()
    this.#chosen = id
    const dialog = openDialog("rename-dialog")
    const input = /** @type {HTMLInputElement} */ (must(dialog, "input"))
    input.value = title
    input.select()
  }

  /** @param {string} name @param {{id?: string, title?: string}} detail */
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }

  /** Unless the reader has gone on elsewhere. Without entries it is the way to a new one. @param {string | null} id */
  focusEntry(id) {
    const now = document.activeElement
    const free = now === document.body || this.#root.contains(now)
    if (free) (this.#find(id, "a") ?? must(this.#root, ".sidebar__new")).focus()
  }

  /** @param {string | null} id @param {string} selector @returns {HTMLElement | null} */
  #find(id, selector) {
    return id ? this.#root.querySelector(`[data-conversation="${id}"] ${selector}`) : null
  }

  /** Whoever is on an entry stays there. */
  draw() {
    const focused = document.activeElement
    const entry = focused?.closest("[data-conversation]")?.getAttribute("data-conversation") ?? null
    this.#list.draw(this.#conversations, this.#current)
    this.#archive?.draw(this.#conversations, this.#current)
    if (entry) this.#find(entry, focused?.matches("a") ? "a" : "[data-more]")?.focus({ preventScroll: true })
    this.emit("changed", {})
  }
}

/** One of the lists: what is known of it, by day, and the way to more. */
export class List {
  #sidebar
  #place
  #path
  #archived
  #next
  #more
  #loading = false
  /** What is shown. */
  #drawing = ""

  /**
   * @param {Sidebar} sidebar @param {HTMLElement} place
   * @param {{path: string, archived: boolean, next: string | null}} about `next`: what follows those that are known
   */
  constructor(sidebar, place, { path, archived, next }) {
    this.#sidebar = sidebar
    this.#place = place
    this.#path = path
    this.#archived = archived
    this.#next = next
    this.#more = must(place, "[data-list-more]")
    this.#more.addEventListener("click", () => this.#loadMore())
    new IntersectionObserver(([entry]) => entry?.isIntersecting && this.#loadMore()).observe(this.#more)
  }

  /** @param {Map<string, Summary>} known @param {string | null} current */
  draw(known, current) {
    const own = [...known.values()].filter((each) => each.archived === this.#archived)
    own.sort((a, b) => pinOf(b).localeCompare(pinOf(a)) || latest(b).localeCompare(latest(a)))
    const groups = [...grouped(own)]
    const drawing = JSON.stringify([groups.map(([name, items]) => [name, items.map(({ id, title, running }) => [id, title, running])]), current])
    // What is pressed just now stays in its place, unless something has changed.
    if (drawing !== this.#drawing) must(this.#place, "[data-groups]").replaceChildren(...groups.map((each) => drawnGroup(...each, current)))
    this.#drawing = drawing
    must(this.#place, "[data-list-empty]").hidden = own.length > 0
    this.#more.hidden = !this.#next
  }

  /** Its top as it is now. Throws ApiError. */
  async renew() {
    const { renew } = await loaded(import("app/list-renewal"))
    const count = this.#place.querySelectorAll("[data-conversation]").length
    const path = `${this.#path}?limit=${Math.min(Math.max(count, PAGE), LARGEST_PAGE)}`
    this.#next = await renew(this.#sidebar, path, { archived: this.#archived })
    this.#sidebar.draw()
  }

  /** Pages of those that are known already are passed over. */
  async #loadMore() {
    if (this.#loading) return
    this.#loading = true
    try {
      for (let added = 0; this.#next && !added; ) {
        /** @type {Page} */
        const page = await api.get(`${this.#path}?before=${encodeURIComponent(this.#next)}`)
        added = this.#sidebar.learn(page.conversations)
        this.#next = page.next
      }
      this.#sidebar.draw()
    } catch (error) {
      tell(error)
    } finally {
      this.#loading = false
    }
  }
}

/** @param {string} title @param {Summary[]} conversations @param {string | null} current */
function drawnGroup(title, conversations, current) {
  const group = fromTemplate("conversation-group-template", { title })
  slot(group, "items").append(...conversations.map((each) => drawn(each, current)))
  return group
}

/** @param {Summary} conversation @param {string | null} current */
function drawn({ id, title, running }, current) {
  const item = fromTemplate("conversation-template")
  const link = /** @type {HTMLAnchorElement} */ (slot(item, "link"))
  item.dataset.conversation = id
  link.href = `/c/${id}`
  link.title = title
  if (id === current) link.setAttribute("aria-current", "page")
  fill(item, { title })
  slot(item, "running").hidden = !running
  must(item, "[data-more]").setAttribute("aria-label", t("js.actions_for", { title }))
  return item
}

/** When it was put on top of the list. @param {Summary} conversation */
const pinOf = ({ pinned_at: pinnedAt, archived }) => (!archived && pinnedAt) || ""
/** @param {Summary} conversation */
const latest = ({ updated_at: updatedAt, touched_at: touchedAt = "" }) => (touchedAt > updatedAt ? touchedAt : updatedAt)

/** @param {Summary[]} conversations */
function grouped(conversations) {
  /** @type {Map<string, Summary[]>} */
  const groups = new Map()
  for (const each of conversations) {
    const name = pinOf(each) ? t("js.pinned") : formatPeriod(latest(each))
    groups.set(name, [...(groups.get(name) ?? []), each])
  }
  return groups
}
