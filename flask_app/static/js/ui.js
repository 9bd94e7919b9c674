// @ts-check
/** Small pieces of page that every screen needs: templates, toasts, dialogs, announcements, forms, menus. */
import { isNotLoaded } from "app/api.js"
import { sentence, t, wayToSignIn } from "app/i18n.js"

const [TOAST_SECONDS, UNDO_SECONDS] = [6, 10]
const A_MOMENT = 300 // milliseconds
const MARGIN = 8 // pixels that stay free at the edges of the window
const ITEMS = ":is(a[href], button):not([hidden])"
/** @type {Record<string, (now: number, count: number) => number>} */
const MOVES = {
  ArrowDown: (now, count) => (now + 1) % count,
  ArrowUp: (now, count) => (now <= 0 ? count : now) - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
}

/**
 * A copy of a <template>, its [data-slot] elements filled with plain text.
 * @param {string} id
 * @param {Record<string, string>} [slots]
 * @returns {HTMLElement}
 */
export function fromTemplate(id, slots = {}) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id))
  const element = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true))
  fill(element, slots)
  return element
}

/** @param {ParentNode} root @param {Record<string, string>} slots */
export const fill = (root, slots) => Object.entries(slots).forEach(([name, text]) => (slot(root, name).textContent = text))

/** @param {ParentNode} root @param {string} name @returns {HTMLElement} */
export const slot = (root, name) => must(root, `[data-slot="${name}"]`)

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
export function must(root, selector) {
  const found = root.querySelector(selector)
  if (!(found instanceof HTMLElement)) throw new Error(`the page lacks ${selector}`)
  return found
}

/** The JSON that a page carries in <script type="application/json" id=…>. @param {string} id @returns {any} */
export const pageState = (id) => JSON.parse(document.getElementById(id)?.textContent || "null")

/** @param {EventTarget} target @param {Record<string, (detail: any) => void>} reactions what to do at each of its events */
export function reactTo(target, reactions) {
  for (const [name, react] of Object.entries(reactions)) {
    target.addEventListener(name, (event) => react(/** @type {CustomEvent} */ (event).detail))
  }
}

/** Says a sentence to screen readers, politely. @param {string} text */
export function announce(text) {
  const place = must(document, "[data-announcer]")
  if (bringIn(place, () => ((place.textContent = ""), bringIn(place)))) setTimeout(() => (place.textContent = text), A_MOMENT / 3)
  else place.textContent = text
}

/** Says something for a while. @param {string} text @param {{kind?: "plain" | "danger"}} [options] */
export const toast = (text, options = {}) => void putUp(text, options)

/**
 * Says what went wrong, by a toast unless told otherwise. That a part of the page is missing, or its session ended, is said once, with
 * the way to mend it.
 * @param {unknown} error @param {(text: string) => void} [say]
 */
export function tell(error, say) {
  const [text, way] = [sentence(error), say ? null : wayToSignIn(error)]
  const isPart = isNotLoaded(error) && navigator.onLine
  if (!isPart && !way) return say ? say(text) : toast(text, { kind: navigator.onLine ? "danger" : "plain" })
  if (must(document, "[data-toasts]").textContent?.includes(text)) return
  putUp(text, { kind: "danger", undo: () => (way ? location.assign(way.href) : location.reload()), label: way?.label ?? t("js.reload") })
}

/** Says it in a place of its own; whoever is not signed in any more gets the way there. @param {HTMLElement} place @param {unknown} error */
export function explain(place, error) {
  const way = wayToSignIn(error)
  place.textContent = sentence(error)
  if (way) place.append(" ", Object.assign(document.createElement("a"), { href: way.href, textContent: way.label }))
}

/**
 * Says what can be undone for some seconds, and for as long as somebody is at it. `left` is what is done once it has gone and was
 * not undone; `leave()` sends it away, `undo()` undoes.
 * @param {string} text @param {{undo: () => void, left: () => void}} acts
 */
export const offerUndo = (text, acts) => putUp(text, acts)

/** With a `label` instead of "Undo" it stays. @param {string} text @param {{kind?: "plain" | "danger", undo?: () => void, left?: () => void, label?: string}} options */
function putUp(text, { kind = "plain", undo, left, label }) {
  const box = must(document, "[data-toasts]")
  const element = fromTemplate("toast-template", { text })
  element.classList.toggle("toast--danger", kind === "danger")
  const close = (/** @type {(() => void) | undefined} */ then) => {
    if (!element.isConnected) return
    element.remove()
    if (!box.childElementCount) box.hidePopover?.()
    then?.()
  }
  const leave = () => close(left)
  const look = () => (element.matches(":hover, :focus-within") ? setTimeout(look, 1000) : leave())
  must(element, "[data-undo]").hidden = !undo
  if (label) must(element, "[data-undo]").textContent = label
  must(element, "[data-undo]").addEventListener("click", () => close(undo))
  must(element, "[data-close-toast]").addEventListener("click", leave)
  if (!label) setTimeout(look, (undo ? UNDO_SECONDS : TOAST_SECONDS) * 1000)
  box.append(element)
  showAbove(box)
  announce(text)
  return { leave, undo: () => close(undo) }
}

/** Toasts stand in the top layer. @param {HTMLElement} box */
function showAbove(box) {
  bringIn(box, () => showAbove(box))
  if (!box.showPopover || !box.childElementCount) return
  if (box.matches(":popover-open")) box.hidePopover()
  box.showPopover()
}

/**
 * Into the dialog that is open, for what is outside can neither be pressed nor heard then; says whether it has moved.
 * @param {HTMLElement} element @param {() => void} [closed] that dialog is closed
 */
function bringIn(element, closed) {
  const dialog = document.activeElement?.closest("dialog:modal") ?? [...document.querySelectorAll("dialog:modal")].at(-1) ?? null
  const moves = element.closest("dialog") !== dialog
  if (moves) (dialog ?? document.body).append(element)
  if (closed) dialog?.addEventListener("close", closed, { once: true })
  return moves
}

/**
 * Asks before something that cannot be undone.
 * @param {{title: string, text: string, action: string}} words
 * @returns {Promise<boolean>}
 */
export function confirmDialog(words) {
  const dialog = /** @type {HTMLDialogElement} */ (must(document, "#confirm-dialog"))
  fill(dialog, words)
  dialog.returnValue = "cancel"
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirm"), { once: true })
  })
}

/** Opens a <dialog> by its id, without what it said before; presses on its backdrop and [data-close-dialog] close it. @param {string} id */
export function openDialog(id) {
  const dialog = /** @type {HTMLDialogElement} */ (must(document, `#${id}`))
  for (const said of dialog.querySelectorAll("[data-form-error]")) Object.assign(said, { textContent: "", hidden: true })
  dialog.showModal()
  return dialog
}

/**
 * Sends a form by script: the button is busy meanwhile, a failure becomes a sentence in [data-form-error]. One that was sent before
 * this page's scripts had come (`base.html` has noted that) is sent now.
 * @param {HTMLFormElement} form
 * @param {(values: Record<string, string>) => Promise<void>} submit
 */
export function onSubmit(form, submit) {
  const button = must(form, '[type="submit"]')
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    if (button.getAttribute("aria-busy") === "true") return
    showFormError(form, "")
    button.setAttribute("aria-busy", "true")
    try {
      await submit(valuesOf(form))
    } catch (error) {
      tell(error, (text) => showFormError(form, text, error))
    } finally {
      button.removeAttribute("aria-busy")
    }
  })
  if ("early" in form.dataset) queueMicrotask(() => form.requestSubmit())
}

/** @param {HTMLFormElement} form @param {string} text @param {unknown} [error] that it is the sentence of */
export function showFormError(form, text, error) {
  const place = must(form, "[data-form-error]")
  if (error) explain(place, error)
  else place.textContent = text
  place.hidden = !text
}

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
const valuesOf = (form) => Object.fromEntries([...new FormData(form)].flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])))

/**
 * Puts what is shown in the top layer below a button, or above it where there is no room; flush with its start, or its `end`.
 * @param {HTMLElement} panel @param {Element} button @param {{end?: boolean}} [options]
 */
export function placeBeside(panel, button, { end = false } = {}) {
  const at = button.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = panel
  const below = at.bottom + height + MARGIN <= innerHeight
  panel.style.left = `${Math.max(MARGIN, Math.min(end ? at.right - width : at.left, innerWidth - width - MARGIN))}px`
  panel.style.top = `${below ? at.bottom + 4 : Math.max(MARGIN, at.top - height - 4)}px`
}

/** @typedef {{button: () => HTMLElement | null, close: () => void}} Menu `button` is what has opened it */

/**
 * One keyboard for every menu: arrows, Home and End; Escape closes and gives the focus back; Tab closes and goes on.
 * @param {HTMLElement} panel @param {Menu} menu
 */
export function useMenuKeys(panel, { button, close }) {
  panel.addEventListener("keydown", (event) => {
    const leaves = event.key === "Escape" || event.key === "Tab"
    if (leaves) {
      close()
      button()?.focus() // where Tab goes on from
    }
    const move = MOVES[event.key]
    if (move) stepIn(panel, move)
    if (!move && (!leaves || (event.key === "Tab" && !event.shiftKey))) return
    event.preventDefault()
    event.stopPropagation()
  })
}

/** @param {HTMLElement} panel */
export const enterMenu = (panel) => stepIn(panel, () => 0)

/** @param {HTMLElement} panel @param {(now: number, count: number) => number} move */
function stepIn(panel, move) {
  const items = [.../** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll(ITEMS))]
  const now = items.indexOf(/** @type {HTMLElement} */ (document.activeElement))
  items[move(now, items.length)]?.focus({ preventScroll: true })
}

/**
 * In the place of what is to be had: bars once it takes a moment, with what was sent meanwhile; or why it could not be had, with a way to
 * try again, tried by itself when the network is back.
 */
export class Unreached {
  #place
  #coming
  #button
  #again
  #isPart = false
  #awaited = 0 // the timer of what is on its way

  /** @param {HTMLElement} root @param {() => Promise<unknown>} again shows it, or says here once more that it cannot be had */
  constructor(root, again) {
    this.#place = must(root, "[data-unreached]")
    this.#coming = must(root, "[data-coming]")
    this.#button = must(this.#place, "[data-try-again]")
    this.#again = again
    this.#button.addEventListener("click", () => (this.#isPart && navigator.onLine ? location.reload() : this.#try()))
    addEventListener("online", () => this.#place.hidden || this.#try())
  }

  /** @param {unknown} error */
  show(error) {
    this.#isPart = isNotLoaded(error) // of a page from before an upgrade: only another page has it
    explain(slot(this.#place, "text"), error)
    this.#button.hidden = wayToSignIn(error) !== null
    this.#place.hidden = false
  }

  hide() {
    clearTimeout(this.#awaited)
    this.#awaited = 0
    this.#place.hidden = this.#coming.hidden = true
    this.#coming.parentElement?.removeAttribute("aria-busy")
    fill(this.#coming, { sent: "" })
  }

  /** Throws as what is awaited does. @param {Promise<unknown>} arrival */
  async during(arrival) {
    clearTimeout(this.#awaited)
    const timer = (this.#awaited = setTimeout(() => this.#button.hasAttribute("aria-busy") || this.#showComing(), A_MOMENT))
    await arrival.finally(() => timer === this.#awaited && this.hide())
  }

  /** What is sent stands there until it can be asked. @param {string} text */
  keep(text) {
    if (text && !this.#awaited && this.#place.hidden) return // all of it is there
    fill(this.#coming, { sent: text })
    if (text) this.#showComing()
  }

  #showComing() {
    if (this.#coming.hidden) announce(t("js.opening"))
    this.#coming.hidden = false
    this.#place.hidden = true
    this.#coming.parentElement?.setAttribute("aria-busy", "true")
  }

  async #try() {
    this.#button.setAttribute("aria-busy", "true")
    await this.#again()
    this.#button.removeAttribute("aria-busy")
  }
}
