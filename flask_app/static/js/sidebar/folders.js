// @ts-check
/**
 * The folders in the side, above the conversations that are in none: each is a list of its own, and comes when it is opened. Loaded
 * with the first folder.
 */
import { api, isGone, loaded } from "app/api.js"
import { t } from "app/i18n.js"
import { List } from "app/sidebar/sidebar.js"
import { announce, confirmDialog, enterMenu, fill, fromTemplate, must, onSubmit, openDialog, placeBeside, slot, tell, toast, useMenuKeys } from "app/ui.js"

const OPEN = "open-folders"
const names = new Intl.Collator(document.documentElement.lang || "en", { numeric: true })

/** @typedef {import("app/sidebar/sidebar.js").Sidebar} Sidebar */
/** @typedef {import("app/sidebar/sidebar.js").Summary} Summary */
/** @typedef {{id: string, name: string}} Folder */

class Folders {
  #sidebar
  #place
  #menu = must(document, "[data-folder-menu]")
  /** By their names. @type {Folder[]} */
  #folders = []
  /** What is drawn of each, by id. @type {Map<string, Section>} */
  #sections = new Map()
  /** Those that are open, on other pages of this browser too. @type {Set<string>} */
  #open = new Set(JSON.parse(localStorage.getItem(OPEN) ?? "[]"))
  /** The one whose menu is open, or whose name is asked for; null for one that is to be made. @type {string | null} */
  #chosen = null
  /** The conversation that is to be moved. @type {Summary | null} */
  #moving = null

  /** @param {Sidebar} sidebar @param {HTMLElement} root the side list */
  constructor(sidebar, root) {
    this.#sidebar = sidebar
    this.#place = must(root, "[data-folders]")
    sidebar.add(this)
    this.#place.addEventListener("click", (event) => this.#pressed(/** @type {Element} */ (event.target)))
    const button = () => this.#sections.get(this.#chosen ?? "")?.more ?? null
    useMenuKeys(this.#menu, { button, close: () => this.#menu.hidePopover() })
    must(this.#menu, "[data-rename-folder]").addEventListener("click", () => this.askName(this.#chosen))
    must(this.#menu, "[data-remove-folder]").addEventListener("click", () => this.#remove().catch(tell))
    onSubmit(/** @type {HTMLFormElement} */ (must(document, "[data-folder-form]")), ({ name = "" }) => this.#named(name))
    onSubmit(/** @type {HTMLFormElement} */ (must(document, "[data-new-folder-form]")), ({ name = "" }) => this.#moveToNew(name))
    must(document, "[data-folder-choices]").addEventListener("click", (event) => {
      const choice = /** @type {Element} */ (event.target).closest("button")
      if (choice) this.#move(choice.value).catch(tell)
    })
  }

  /** @param {Folder[]} folders all that there are */
  show(folders) {
    this.#folders = folders.toSorted((a, b) => names.compare(a.name, b.name))
    const ids = new Set(folders.map(({ id }) => id))
    for (const id of this.#sections.keys()) if (!ids.has(id)) this.#empty(id)
    for (const folder of this.#folders) this.#sectionOf(folder).name = folder.name
    const sections = this.#folders.map((folder) => this.#sectionOf(folder).element)
    const isShown = sections.length === this.#place.children.length && sections.every((each, at) => each === this.#place.children[at])
    if (!isShown) this.#put(sections)
  }

  /** One that is gone; what was in it is among the others. @param {string} id */
  #empty(id) {
    this.#sections.delete(id)
    const inside = [...this.#sidebar.known.values()].filter((each) => each.folder_id === id)
    for (const each of inside) this.#sidebar.keep({ ...each, folder_id: null })
  }

  /** Whoever is on one stays there. @param {HTMLElement[]} sections */
  #put(sections) {
    const focused = document.activeElement
    this.#place.replaceChildren(...sections)
    if (focused instanceof HTMLElement && this.#place.contains(focused)) focused.focus()
    this.#sidebar.draw()
  }

  /** @param {Folder} folder */
  #sectionOf({ id, name }) {
    const known = this.#sections.get(id)
    if (known) return known
    const section = new Section(this.#sidebar, { id, name }, this.#open.has(id))
    this.#sections.set(id, section)
    if (section.isOpen) section.renew().catch(() => undefined) // it is asked for again with the whole list
    return section
  }

  /** @param {Map<string, Summary>} known @param {string | null} current */
  draw(known, current) {
    for (const section of this.#sections.values()) section.list.draw(known, current)
  }

  /** Those that are open, and where an answer is being written. Throws ApiError. */
  async renew() {
    const running = new Set([...this.#sidebar.known.values()].filter((each) => each.running).map((each) => each.folder_id))
    const due = [...this.#sections].filter(([id, { isOpen }]) => isOpen || running.has(id))
    await Promise.all(due.map(([, section]) => section.renew()))
  }

  /** @param {Element} pressed */
  #pressed(pressed) {
    const id = pressed.closest("[data-folder]")?.getAttribute("data-folder") ?? ""
    const section = this.#sections.get(id)
    if (section && pressed.closest("[data-toggle]")) this.#toggle(id, section)
    if (section && pressed.closest("[data-folder-more]")) this.#openMenu(id, section)
  }

  /** @param {string} id @param {Section} section */
  #toggle(id, section) {
    section.isOpen = !section.isOpen
    if (section.isOpen) this.#open.add(id)
    else this.#open.delete(id)
    localStorage.setItem(OPEN, JSON.stringify([...this.#open].filter((each) => this.#sections.has(each))))
    if (section.isOpen) section.renew().catch(tell)
  }

  /** @param {string} id @param {Section} section */
  #openMenu(id, section) {
    this.#chosen = id
    this.#menu.showPopover()
    placeBeside(this.#menu, section.more)
    enterMenu(this.#menu)
  }

  /** @param {string | null} [id] null: of one that is to be made */
  askName(id = null) {
    this.#menu.hidePopover()
    this.#chosen = id
    const dialog = openDialog("folder-dialog")
    fill(dialog, { title: t(id ? "js.folder_rename" : "js.folder_new") })
    const input = /** @type {HTMLInputElement} */ (must(dialog, "input"))
    input.value = this.#folders.find((folder) => folder.id === id)?.name ?? ""
    input.select()
  }

  /** Throws ApiError where the name is refused. @param {string} name */
  async #named(name) {
    const id = this.#chosen
    const named = await (id ? api.patch(pathOf(id), { name }) : api.post("/api/folders", { name })).catch(unlessGone)
    close("folder-dialog")
    if (!named) return this.#isGone()
    this.#sidebar.folderChanges++
    this.show([...this.#folders.filter((folder) => folder.id !== named.id), named])
    if (!id) announce(t("js.folder_made", { name: named.name }))
  }

  /** What is in it comes among the others. */
  async #remove() {
    this.#menu.hidePopover()
    const id = this.#chosen ?? ""
    const { name } = this.#folders.find((folder) => folder.id === id) ?? { name: "" }
    const words = { title: t("js.folder_delete", { name }), text: t("js.folder_delete_text"), action: t("js.folder_delete_action") }
    if (!(await confirmDialog(words))) return
    const { focusEntry } = await loaded(import("app/chat/conversation-acts.js"))
    await api.delete(pathOf(id)).catch(unlessGone) // one that was deleted elsewhere is deleted all the same
    this.#sidebar.folderChanges++
    this.show(this.#folders.filter((folder) => folder.id !== id))
    focusEntry(null)
    await this.#sidebar.renew()
  }

  /** Where a conversation is to be moved is asked. @param {Summary} conversation */
  askWhere(conversation) {
    this.#moving = conversation
    const dialog = openDialog("move-dialog")
    const none = { id: "", name: t("js.folder_none") }
    const choices = [none, ...this.#folders].map((folder) => drawnChoice(folder, folder.id === (conversation.folder_id ?? "")))
    must(dialog, "[data-folder-choices]").replaceChildren(...choices)
    const field = /** @type {HTMLInputElement} */ (must(dialog, "input"))
    field.value = ""
    ;(this.#folders.length ? choices[0] : field)?.focus()
  }

  /** Throws ApiError where the name is refused. @param {string} name */
  async #moveToNew(name) {
    const made = await api.post("/api/folders", { name })
    this.#sidebar.folderChanges++
    this.show([...this.#folders, made])
    await this.#move(made.id)
  }

  /** @param {string} id "" for none */
  async #move(id) {
    const moving = this.#moving
    close("move-dialog")
    if (!moving || id === (moving.folder_id ?? "")) return
    const path = `${pathOf(id || (moving.folder_id ?? ""))}/conversations/${encodeURIComponent(moving.id)}`
    const { focusEntry } = await loaded(import("app/chat/conversation-acts.js"))
    const moved = await (id ? api.put(path, {}) : api.delete(path)).catch(unlessGone)
    if (!moved) return this.#isGone()
    const { folder_id, updated_at, pinned_at, archived } = moved
    this.#sidebar.keep({ ...moving, updated_at, pinned_at, archived, ...this.#sidebar.get(moving.id), folder_id })
    focusEntry(moving.id, this.#sections.get(folder_id)?.toggle)
    const { name = "" } = this.#folders.find((folder) => folder.id === folder_id) ?? {}
    toast(folder_id ? t("js.folder_moved", { name }) : t("js.folder_moved_out"))
  }

  async #isGone() {
    toast(t("js.folder_gone"), { kind: "danger" })
    await this.#sidebar.renew()
  }
}

/** @type {Folders | null} */
let made = null

/** @param {Sidebar} sidebar @param {HTMLElement} root the side list */
export function foldersOf(sidebar, root) {
  made ??= new Folders(sidebar, root)
  return made
}

/** A folder as it is drawn: its head, and when it is open what is in it. */
class Section {
  #content

  /** @param {Sidebar} sidebar @param {Folder} folder @param {boolean} isOpen */
  constructor(sidebar, { id, name }, isOpen) {
    this.element = fromTemplate("folder-template")
    this.element.dataset.folder = id
    this.toggle = must(this.element, "[data-toggle]")
    this.more = must(this.element, "[data-folder-more]")
    this.#content = must(this.element, "[data-folder-content]")
    this.#content.id = `folder-${id}`
    this.toggle.setAttribute("aria-controls", this.#content.id)
    const isOwn = (/** @type {Summary} */ each) => each.folder_id === id && !each.archived && !each.pinned_at
    this.list = new List(sidebar, this.#content, { path: `${pathOf(id)}/conversations`, isOwn, next: null })
    this.name = name
    this.isOpen = isOpen
  }

  set name(/** @type {string} */ name) {
    if (slot(this.element, "name").textContent === name) return
    fill(this.element, { name })
    this.more.setAttribute("aria-label", t("js.folder_actions", { name }))
  }

  get isOpen() {
    return !this.#content.hidden
  }

  set isOpen(/** @type {boolean} */ open) {
    this.#content.hidden = !open
    this.toggle.setAttribute("aria-expanded", String(open))
  }

  /** Throws ApiError. */
  async renew() {
    this.#content.setAttribute("aria-busy", "true")
    await this.list.renew().finally(() => this.#content.removeAttribute("aria-busy"))
  }
}

/** @param {Folder} folder @param {boolean} isChosen */
function drawnChoice({ id, name }, isChosen) {
  const choice = /** @type {HTMLButtonElement} */ (fromTemplate("folder-choice-template", { name }))
  choice.value = id
  choice.setAttribute("aria-pressed", String(isChosen))
  return choice
}

/** @param {string} id */
function close(id) {
  const dialog = /** @type {HTMLDialogElement} */ (must(document, `#${id}`))
  dialog.close()
}

/** @param {unknown} error */
function unlessGone(error) {
  if (!isGone(error)) throw error
  return null
}

/** @param {string} id */
const pathOf = (id) => `/api/folders/${encodeURIComponent(id)}`
