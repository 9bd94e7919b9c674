// @ts-check
/** Entry of every page: menus, dialogs, preferences, sign-out, and the drawer where there is one. */
import { api, byteLength, loaded } from "app/api.js"
import { t } from "app/i18n.js"
import { enterMenu, must, openDialog, tell, toast, useMenuKeys } from "app/ui.js"

const YEAR = 365 * 24 * 3600
const VISITORS = "chosen-before-sign-in"
const PERSON = "person" // who was last seen to be signed in here: another tab may show a page of before
const CLOSED = "closed-announcements" // the last of them; the server leaves those out
const MOST_CLOSED = 20
const KEY_ALONE = "key_alone" // may "?" open the map of the keys? The server says so of the next page
const KEPT = "mingchat-kept"
const KEPT_AT = "/offline/kept"
const [MOST_KEPT, MOST_KEPT_BYTES] = [1_000, 200_000]
const OWN = ["openDialog", "reveal", "copy", "closeDialog", "signOut", "closeAnnouncement", "palette"]

/** What the page without a network knows: language and theme, and of one person the titles as last seen. @typedef {{person: string, language: string, theme: string, at: string, conversations: {href: string, title: string}[]}} Kept */

const person = document.querySelector('meta[name="person"]')?.getAttribute("content") ?? ""
if (person) localStorage.setItem(PERSON, person)
else localStorage.removeItem(PERSON)

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target)
  closeMenus(target)
  const button = target.closest("button")
  if (!button) return
  const { openDialog: dialogId, reveal, copy } = button.dataset
  const preference = button.closest("[data-preference]")?.getAttribute("data-preference")
  if (dialogId) openDialog(dialogId)
  if (reveal) togglePassword(button, reveal)
  if (copy) copyFrom(button, copy)
  if (preference) keepPreference(preference, button.value)
  if ("closeDialog" in button.dataset) button.closest("dialog")?.close()
  if ("signOut" in button.dataset) loaded(import("app/account/sign-out.js")).then(({ signOut }) => signOut(KEPT)).catch(tell)
  if ("closeAnnouncement" in button.dataset) closeAnnouncement(/** @type {HTMLElement} */ (button.parentElement))
  if ("palette" in button.dataset) openPalette(button.closest("details"))
  const isOwn = preference || OWN.some((name) => name in button.dataset)
  if (isOwn && button.type === "button") event.preventDefault() // it is heard: `base.html` need not press it again
})

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") escapeMenu()
  if (asksForKeys(event)) openDialog("keys-dialog")
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey
  if (!isCommand || event.key.toLowerCase() !== "k" || event.defaultPrevented || !document.querySelector("#palette")) return
  event.preventDefault() // browsers have something of their own on it
  if (!document.querySelector("dialog[open]")) openPalette(document.querySelector("details.menu[open]"))
})

for (const menu of document.querySelectorAll("details.menu")) {
  const panel = must(menu, ".menu__panel")
  useMenuKeys(panel, { button: () => must(menu, "summary"), close: () => menu.removeAttribute("open") })
  menu.addEventListener("toggle", () => menu.hasAttribute("open") && enterMenu(panel))
}

for (const dialog of document.querySelectorAll("dialog")) {
  const staysOpen = dialog.getAttribute("closedby") === "none" // not every browser knows that by itself
  dialog.addEventListener("mousedown", (event) => {
    if (!staysOpen && event.target === dialog && isOutside(dialog, event)) dialog.close()
  })
  dialog.addEventListener("cancel", (event) => staysOpen && event.preventDefault())
}

// No password stays shown once a dialog is closed, or a form begins anew.
const hidePasswords = () => document.querySelectorAll("button").forEach((each) => each.matches('[data-reveal][aria-pressed="true"]') && each.click())
for (const end of ["close", "reset"]) document.addEventListener(end, hidePasswords, true)
document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLInputElement && "keyAlone" in target.dataset) keepCookie(KEY_ALONE, target.checked ? "on" : "off")
})
document.addEventListener("themechange", tintBrowser)
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tintBrowser)
tintBrowser()

const showLine = () => (must(document, "[data-offline-note]").hidden = navigator.onLine)
for (const change of ["online", "offline"]) addEventListener(change, showLine)
showLine()
document.addEventListener("visibilitychange", () => document.hidden && keepForOffline().catch(console.warn))
addEventListener("load", () => {
  const prepare = () => {
    navigator.serviceWorker?.register("/sw.js", { updateViaCache: "none" }).catch(console.warn)
    keepForOffline().catch(console.warn) // where the browser keeps nothing
  }
  // A page that nobody touches may draw no frame after this, and without one Chromium calls nobody idle.
  if ("requestIdleCallback" in globalThis) requestIdleCallback(prepare, { timeout: 2000 })
  else setTimeout(prepare)
})

/** Notes what is seen here for when there is no network; nothing of anybody else stays. Needs https, as the worker does. */
async function keepForOffline() {
  const isCurrent = () => (localStorage.getItem(PERSON) ?? "") === person // not signed out meanwhile, and nobody else signed in
  if (!("caches" in globalThis) || !isCurrent()) return
  const { lang: language, dataset } = document.documentElement
  const cache = await caches.open(KEPT)
  /** @type {Kept | undefined} */
  const before = await (await cache.match(KEPT_AT))?.json()
  const seen = list ? { at: new Date().toISOString(), conversations: firstOf(list()) } : null
  const known = seen ?? (before?.person === person ? before : { at: "", conversations: [] })
  const { at, conversations } = known
  const kept = JSON.stringify({ person, language, theme: dataset.theme ?? "system", at, conversations })
  if (isCurrent()) await cache.put(KEPT_AT, new Response(kept))
}

/** The conversations of the page, the most wanted first, where it has a list. @type {(() => {id: string, title: string}[]) | null} */
let list = null

/** @param {NonNullable<typeof list>} known all that are known, be they drawn or not */
export const listFrom = (known) => void (list = known)

/** As many as are noted. @param {{id: string, title: string}[]} conversations */
function firstOf(conversations) {
  let room = MOST_KEPT_BYTES
  const entries = conversations.slice(0, MOST_KEPT).map(({ id, title }) => ({ href: `/c/${id}`, title }))
  return entries.filter((each) => (room -= byteLength(JSON.stringify(each))) >= 0)
}

/** The browser's own bars take the page's colour. */
function tintBrowser() {
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", getComputedStyle(document.documentElement).backgroundColor)
}

/** Not shown again in this browser, unless its words change. @param {HTMLElement} element */
function closeAnnouncement(element) {
  const before = document.cookie.match(new RegExp(`(?:^|; )${CLOSED}=([^;]*)`))?.[1]
  const closed = [...(before ? before.split(".") : []), element.dataset.announcement].slice(-MOST_CLOSED)
  keepCookie(CLOSED, closed.join("."))
  element.remove()
  must(document, "#main").focus()
}

/** @param {string} name @param {string} value */
function keepCookie(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : ""
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=lax${secure}`
}

/** @param {Element} pressed */
function closeMenus(pressed) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const chosen = pressed.closest(".menu__item")
    if (!menu.contains(pressed) || chosen) menu.removeAttribute("open")
  }
}

function escapeMenu() {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.removeAttribute("open")
    must(menu, "summary").focus()
  }
}

/** A question mark, also that of an input method, where it writes nothing. @param {KeyboardEvent} press */
function asksForKeys({ key, altKey, ctrlKey, metaKey, target }) {
  const isForWords = target instanceof Element && target.matches("input, textarea, select")
  const isOther = altKey || ctrlKey || metaKey || isForWords || document.querySelector("dialog[open]")
  return !isOther && (key === "?" || key === "？") && document.querySelector("[data-key-alone]:checked") !== null
}

/** What is typed before its module has come waits in its field. @param {Element | null} menu that it was chosen from: where the focus comes back to */
async function openPalette(menu) {
  menu?.removeAttribute("open")
  menu?.querySelector("summary")?.focus()
  const dialog = openDialog("palette")
  try {
    const { show } = await loaded(import("app/palette/palette.js"))
    await show()
  } catch (error) {
    dialog.close()
    tell(error)
  }
}

/** @param {HTMLDialogElement} dialog @param {MouseEvent} event */
function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect()
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom
}

/** @param {HTMLButtonElement} button @param {string} id */
function togglePassword(button, id) {
  const input = /** @type {HTMLInputElement} */ (must(document, `#${id}`))
  const shown = input.type === "text"
  input.type = shown ? "password" : "text"
  button.setAttribute("aria-pressed", String(!shown))
}

/** @param {HTMLButtonElement} button @param {string} selector what to copy the text of */
async function copyFrom(button, selector) {
  const copied = await copyText(must(document, selector).textContent ?? "")
  toast(t(copied ? "js.copied" : "js.copy_failed"))
}

/** @param {string} text @returns {Promise<boolean>} whether the clipboard took it */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

/** On plain http the clipboard API is absent; a selected text area still copies. @param {string} text */
function copyBySelection(text) {
  const area = document.createElement("textarea")
  area.className = "visually-hidden"
  area.value = text
  const focused = document.activeElement
  const host = document.querySelector("dialog[open]") ?? document.body
  host.append(area)
  area.select()
  const copied = document.execCommand("copy")
  area.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return copied
}

/**
 * Before sign-in a cookie remembers, and the account is told when somebody signs in; afterwards the account remembers.
 * @param {string} name "locale" or "theme"
 * @param {string} value
 */
async function keepPreference(name, value) {
  keepCookie(name === "locale" ? "lang" : name, value)
  if (name === "theme") showTheme(value)
  try {
    if (document.querySelector("[data-sign-out]")) await api.patch("/api/me", { [name]: value })
    else localStorage.setItem(VISITORS, JSON.stringify({ ...visitorsChoices(), [name]: value }))
    if (name === "locale") location.reload()
  } catch (error) {
    tell(error)
  }
}

/** What was chosen here while nobody was signed in. @returns {{locale?: string, theme?: string}} */
export function visitorsChoices() {
  return JSON.parse(localStorage.getItem(VISITORS) ?? "{}")
}

/** Somebody has signed in: the next visitor may be another. */
export const forgetVisitorsChoices = () => localStorage.removeItem(VISITORS)

/** @param {string} theme */
function showTheme(theme) {
  document.documentElement.dataset.theme = theme
  for (const button of document.querySelectorAll('[data-preference="theme"] button')) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLButtonElement} */ (button).value === theme))
  }
  document.dispatchEvent(new CustomEvent("themechange"))
}

/** The side list on a small screen: over the page, closed by Escape, its scrim, or a choice. */
export class Drawer {
  #root
  #main = must(document, "[data-chat-main]")
  #scrim = must(document, "[data-scrim]")
  #opener = must(document, "[data-drawer-open]")
  #small = matchMedia("(max-width: 52rem)")
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
      if (event.key === "Escape" && !event.isComposing && this.#open && !occupied) this.#set(false)
    })
    this.#small.addEventListener("change", () => this.#set(false))
    this.#apply()
  }

  /** @param {boolean} open */
  #set(open) {
    const changed = open !== this.#open
    this.#open = open
    this.#apply()
    if (changed && this.#small.matches) must(open ? this.#root : this.#main, open ? "a" : "[data-drawer-open]").focus()
  }

  #apply() {
    const shown = this.#small.matches && this.#open
    this.#root.inert = this.#small.matches && !this.#open
    this.#root.classList.toggle("sidebar--open", shown)
    this.#main.inert = shown
    this.#scrim.hidden = !shown
    this.#opener.setAttribute("aria-expanded", String(shown))
  }
}
