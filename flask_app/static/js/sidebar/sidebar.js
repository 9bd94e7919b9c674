// @ts-check
/**
 * The conversations in the side: pinned ones first, folders, and the others by day. Other lists join them: `app/sidebar/folders`, and the
 * archive in their place. What is done to one is in `app/chat/conversation-acts`; its title is asked for here.
 * Emits "left" {id}: it was deleted or archived, "restored" {id}: that was undone, "deleted" {id}: that cannot be undone any more,
 * "gone" {id}: it was deleted elsewhere, and "changed".
 */
import { isNotLoaded, loaded } from "app/api.js"
import { formatPeriod, t } from "app/i18n.js"
import { Drawer, listFrom } from "app/shell.js"
import { enterMenu, explain, fill, fromTemplate, must, onSubmit, openDialog, placeBeside, slot, tell, useMenuKeys } from "app/ui.js"

/**
 * `touched_at`: when something happened in it here, which the server's own time tells later.
 * @typedef {{id: string, title: string, updated_at: string, running: boolean, pinned_at: string | null, archived: boolean,
 *   folder_id: string | null, touched_at?: string, shared?: boolean}} Summary
 */
/** @typedef {import("app/sidebar/list-renewal.js").Listing} Listing */

export class Sidebar extends EventTarget {
  #root
  #menu
  /** @type {Listing[]} */
  #lists = []
  /** All that are known. @type {Map<string, Summary>} */
  #conversations = new Map()
  /** @type {string | null} */ #current = null
  /** @type {string | null} the one whose menu is open */
  chosen = null
  /** Those that were deleted here, though that may be undone yet, or as the page before was left. @type {Set<string>} */
  deleting = new Set(JSON.parse(sessionStorage.getItem("deleted") ?? "[]"))

  /** How often a folder was made, named or removed here: a list that was asked for before knows nothing of it. */
  folderChanges = 0

  /** @param {HTMLElement} root @param {import("app/sidebar/list-renewal.js").Page & {thread: Summary | null}} page with the conversation that it shows */
  constructor(root, { conversations, pinned, folders, next, thread }) {
    super()
    this.#root = root
    this.#menu = must(document, "[data-conversation-menu]")
    sessionStorage.removeItem("deleted")
    this.learn([...pinned, ...conversations, ...(thread?.archived || thread?.folder_id ? [thread] : [])])
    this.add(new List(this, must(root, "[data-recent]"), { path: "/api/conversations/unfiled", isOwn: (each) => !each.archived && Boolean(each.pinned_at || !each.folder_id), next }))
    this.showFolders(folders).catch(tell)
    this.#listen()
    new Drawer(root)
    listFrom(() => inOrder([...this.#conversations.values()].filter(({ archived }) => !archived)))
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
    const unknown = { id, title: t("js.new_chat"), updated_at: "", running: false, pinned_at: null, archived: false, folder_id: null }
    this.keep({ ...unknown, ...this.get(id), touched_at: new Date().toISOString(), ...changes })
  }

  /** What one is that was opened; one that has no entry gets one in the archive and in a folder only. @param {Summary} opened */
  note({ id, title, updated_at, running, pinned_at, archived, folder_id, shared }) {
    const known = this.get(id)
    if (!(known || archived || folder_id) || this.deleting.has(id)) return
    this.keep({ ...known, id, title, updated_at, running, pinned_at, archived, folder_id, shared })
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

  /** What was pinned, archived, renamed or begun elsewhere meanwhile. Where it cannot be had the lists stay as they were; a page out of date says so. */
  async renew() {
    await Promise.all(this.#lists.map((each) => each.renew())).catch((error) => navigator.onLine && isNotLoaded(error) && tell(error))
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
    useMenuKeys(this.#menu, { button: () => this.#find(this.chosen, "[data-more]"), close: () => this.#menu.hidePopover() })
    must(this.#menu, "[data-rename]").addEventListener("click", () => this.askTitle(this.get(this.chosen ?? "")))
    for (const item of this.#menu.querySelectorAll("[data-act]")) item.addEventListener("click", () => this.act(item.getAttribute("data-act") ?? ""))
    onSubmit(/** @type {HTMLFormElement} */ (must(document, "[data-rename-form]")), async ({ title = "" }) => {
      const { rename } = await loaded(import("app/chat/conversation-acts.js"))
      await rename(this, this.chosen ?? "", title)
    })
  }

  /** One more list of those that are known. @param {Listing} list */
  add(list) {
    this.#lists.push(list)
    list.draw(this.#conversations, this.#current)
  }

  /** They come with the first, or to make it. Throws ApiError. */
  async folders() {
    const { foldersOf } = await loaded(import("app/sidebar/folders.js"))
    return foldersOf(this, this.#root)
  }

  /** @param {import("app/sidebar/folders.js").Folder[]} folders all that there are */
  async showFolders(folders) {
    if (folders.length || this.#root.querySelector("[data-folder]")) (await this.folders()).show(folders)
  }

  /** @param {HTMLElement} button */
  #openMenu(button) {
    this.chosen = button.closest("[data-conversation]")?.getAttribute("data-conversation") ?? null
    const { pinned_at: pinnedAt, archived, shared } = this.get(this.chosen ?? "") ?? {}
    for (const act of ["pin", "move"]) must(this.#menu, `[data-act="${act}"]`).hidden = Boolean(archived)
    fill(this.#menu, { pin: t(pinnedAt ? "js.unpin" : "js.pin"), archive: t(archived ? "js.unarchive" : "js.archive"), share: t(shared ? "js.shares.shared" : "js.shares.share") })
    this.#menu.showPopover()
    placeBeside(this.#menu, button)
    enterMenu(this.#menu)
  }

  /** @param {string} name one of `app/chat/conversation-acts` @param {string} [id] unless it is the one whose menu is open */
  async act(name, id = this.chosen ?? "") {
    this.#menu.hidePopover()
    try {
      const { acts } = await loaded(import("app/chat/conversation-acts.js")) // first: what has left the list can be undone
      const known = this.get(id)
      if (known) await acts[name]?.(this, known)
    } catch (error) {
      tell(error)
    }
  }

  /** At once: what is typed next is the title. @param {{id: string, title: string} | undefined} conversation */
  askTitle({ id, title } = { id: "", title: "" }) {
    this.#menu.hidePopover()
    this.chosen = id
    const dialog = openDialog("rename-dialog")
    const input = /** @type {HTMLInputElement} */ (must(dialog, "input"))
    input.value = title
    input.select()
  }

  /** @param {string} name @param {{id?: string, title?: string}} detail */
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }

  /** @param {string | null} id @param {string} selector @returns {HTMLElement | null} */
  #find(id, selector) {
    return id ? this.#root.querySelector(`[data-conversation="${id}"] ${selector}`) : null
  }

  /** Whoever is on an entry stays there. */
  draw() {
    const focused = document.activeElement
    const entry = focused?.closest("[data-conversation]")?.getAttribute("data-conversation") ?? null
    for (const each of this.#lists) each.draw(this.#conversations, this.#current)
    if (entry) this.#find(entry, focused?.matches("a") ? "a" : "[data-more]")?.focus({ preventScroll: true })
    this.emit("changed", {})
  }
}

/** One of the lists: what is known of it, by day, and the way to more. Once there is more than a page `app/sidebar/long-list` draws it. */
export class List {
  #sidebar
  #place
  #path
  #isOwn
  #next
  #more
  #reach = new IntersectionObserver((seen) => seen.at(-1)?.isIntersecting && this.#loadMore(), { scrollMargin: "100%" })
  #drawing = ""
  /** @type {import("app/sidebar/long-list.js").LongList | null} */
  #long = null

  /**
   * @param {Sidebar} sidebar @param {HTMLElement} place
   * @param {{path: string, isOwn: (each: Summary) => boolean, next: string | null}} about `next`: what follows those that are known
   */
  constructor(sidebar, place, { path, isOwn, next }) {
    this.#sidebar = sidebar
    this.#place = place
    this.#path = path
    this.#isOwn = isOwn
    this.#next = next
    this.#more = must(place, ":scope > [data-list-more]")
    this.#more.addEventListener("click", () => this.#loadMore())
    this.#reach.observe(this.#more)
  }

  /** @param {Map<string, Summary>} known @param {string | null} current */
  draw(known, current) {
    const own = inOrder([...known.values()].filter(this.#isOwn))
    const groups = [...Map.groupBy(own, dayOf)]
    if (this.#long) this.#long.draw(groups, current)
    else this.#drawShort(groups, current)
    must(this.#place, ":scope > [data-list-empty]").hidden = own.length > 0
    this.#more.hidden = !this.#next
  }

  /** What is pressed just now stays in its place, unless something has changed. @param {import("app/sidebar/long-list.js").Group[]} groups @param {string | null} current */
  #drawShort(groups, current) {
    const drawing = JSON.stringify([groups.map(([name, items]) => [name, items.map(({ id, title, running }) => [id, title, running])]), current])
    if (drawing === this.#drawing) return
    this.#drawing = drawing
    const days = groups.map(([title, items]) => drawnGroup(title, items.map((each) => drawn(each, current))))
    this.#place.querySelector("[data-pins]")?.replaceChildren(...days.splice(0, groups[0]?.[1].some(pinOf) ? 1 : 0))
    must(this.#place, ":scope > [data-groups]").replaceChildren(...days)
  }

  /** Its top as it is now. Throws ApiError. */
  async renew() {
    const { renew } = await loaded(import("app/sidebar/list-renewal.js"))
    this.#next = await renew(this.#sidebar, this.#path, this.#isOwn, this.#place.querySelectorAll("[data-conversation]").length, this.#long ? this.#next : undefined)
    this.#sidebar.draw()
  }

  async #loadMore() {
    const lost = must(this.#place, ":scope > [data-list-lost]")
    if (this.#more.ariaBusy) return
    this.#more.ariaBusy = "true"
    try {
      const [{ learnMore }, { LongList }] = await loaded(Promise.all([import("app/sidebar/list-renewal.js"), import("app/sidebar/long-list.js")]))
      this.#next = await learnMore(this.#sidebar, this.#path, this.#next)
      this.#long ??= new LongList(this.#sidebar, this.#place)
      this.#sidebar.draw()
      lost.textContent = ""
      this.#reach.disconnect()
      this.#reach.observe(this.#more) // it tells where the end is still near
    } catch (error) {
      tell(error, () => explain(lost, error))
    }
    this.#more.ariaBusy = null
  }
}

/** @param {string} title @param {HTMLElement[]} [items] */
export function drawnGroup(title, items = []) {
  const group = fromTemplate("conversation-group-template", { title })
  slot(group, "items").append(...items)
  return group
}

/** @param {Summary} conversation @param {string | null} current */
export function drawn({ id, title, running }, current) {
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

/** Pinned ones, then what is new. @param {Summary[]} all */
const inOrder = (all) => all.sort((a, b) => descending(pinOf(a), pinOf(b)) || descending(latest(a), latest(b)))
/** When it was put on top of the list. @param {Summary} conversation */
const pinOf = ({ pinned_at: pinnedAt, archived }) => (!archived && pinnedAt) || ""
/** @param {Summary} conversation */
const latest = ({ updated_at: updatedAt, touched_at: touchedAt = "" }) => (touchedAt > updatedAt ? touchedAt : updatedAt)
/** @param {string} one @param {string} other */
const descending = (one, other) => Number(one < other) - Number(one > other)
/** @param {Summary} conversation */
const dayOf = (conversation) => (pinOf(conversation) ? t("js.pinned_ones") : formatPeriod(latest(conversation)))
