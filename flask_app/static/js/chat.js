// @ts-check
/** Entry of the chat page: wires list, composer and conversation to the address. */
import { api, isGone } from "app/api"
import { Composer } from "app/composer"
import { sentence, t } from "app/i18n"
import { Sidebar } from "app/sidebar"
import { must, pageState, toast } from "app/ui"

/** @typedef {import("app/conversation").Conversation} Conversation */

const state = pageState("chat-state")
const root = must(document, "[data-chat]")
const welcome = must(root, "[data-welcome]")
const sidebar = new Sidebar(must(root, "[data-sidebar]"), state)
const composer = new Composer(/** @type {HTMLFormElement} */ (must(root, "[data-composer]")), state)
/** @type {Promise<Conversation> | null} */
let loading = null
/** @type {string | null} */
let shown = null
/** The one that was shown when it was deleted. @type {string | null} */
let left = null
/** The conversation that came with the page: shown once, asked for again later. */
let enclosed = state.thread
let limited = state.budgets.length > 0
let looks = 0

greet()
watchKeyboardHeight()
composer.showLeft(state.budgets)
composer.addEventListener("send", (event) => send(/** @type {CustomEvent} */ (event).detail))
composer.addEventListener("stop", async () => (await conversation()).stop())
composer.addEventListener("anew", () => {
  if (shown) composer.handOver(shown)
  go("/")
})
sidebar.addEventListener("renamed", (event) => {
  const { id, title } = /** @type {CustomEvent} */ (event).detail
  if (id === shown) showTitle(title)
})
sidebar.addEventListener("deleted", (event) => {
  const { id } = /** @type {CustomEvent} */ (event).detail
  left = id === shown ? id : null
  if (left) go("/")
})
sidebar.addEventListener("restored", (event) => {
  const { id } = /** @type {CustomEvent} */ (event).detail
  if (id === left && shown === null) go(`/c/${id}`)
})
sidebar.addEventListener("gone", (event) => gone(/** @type {CustomEvent} */ (event).detail, { inList: true }))
addEventListener("popstate", () => show(idInAddress()))
document.addEventListener("visibilitychange", () => limited && !document.hidden && lookAtBudgets())
root.addEventListener("click", (event) => {
  const pressed = /** @type {Element} */ (event.target)
  const idea = /** @type {HTMLElement | null} */ (pressed.closest("[data-idea]"))
  if (idea) startWith(idea.dataset.idea ?? "")
  const link = pressed.closest("a")
  if (link && opensHere(link, event)) {
    event.preventDefault()
    go(new URL(link.href).pathname)
  }
})
must(root, "[data-composer]").addEventListener("input", prefetch, { once: true })
must(root, "[data-composer]").addEventListener("pointerdown", prefetch, { once: true })
if (state.missing) missing(idInAddress() ?? "")
else show(state.thread?.id ?? null)

/** What a conversation needs is loaded when one is opened or written. */
function conversation() {
  loading ??= load().catch((error) => {
    loading = null
    throw error
  })
  return loading
}

async function load() {
  const { Conversation } = await import("app/conversation")
  const made = new Conversation(root, composer, state.is_admin)
  made.addEventListener("started", (event) => started(/** @type {CustomEvent} */ (event).detail))
  made.addEventListener("opened", (event) => showTitle(/** @type {CustomEvent} */ (event).detail.title))
  made.addEventListener("refused", () => {
    if (shown === null) showWelcome(true)
    lookAtBudgets()
  })
  made.addEventListener("gone", (event) => {
    gone(/** @type {CustomEvent} */ (event).detail)
    if (limited) lookAtBudgets()
  })
  made.addEventListener("anew", (event) => {
    composer.keepForNew(/** @type {CustomEvent} */ (event).detail.text)
    go("/")
  })
  made.addEventListener("ended", (event) => {
    const { id, title } = /** @type {CustomEvent} */ (event).detail
    sidebar.touch(id, title ? { running: false, title } : { running: false })
    if (title && id === shown) showTitle(title)
    if (limited) lookAtBudgets()
  })
  return made
}

function prefetch() {
  const idle = globalThis.requestIdleCallback ?? setTimeout
  idle(() => conversation().catch(() => undefined)) // the send that follows will say what is wrong
}

/** @param {import("app/composer").Outgoing} outgoing */
async function send(outgoing) {
  const home = shown
  try {
    const here = await conversation()
    showWelcome(false)
    await here.send(outgoing)
  } catch (error) {
    composer.giveBack(home, outgoing)
    composer.showProblem(sentence(error))
  }
}

/** @param {{id: string, title: string, here: boolean, isNew: boolean}} start */
function started({ id, title, here, isNew }) {
  sidebar.touch(id, { title, running: true })
  if (!here) return
  if (isNew) {
    shown = id
    composer.adopt(id)
    history.pushState(null, "", `/c/${id}`)
  }
  sidebar.select(id)
  showTitle(title)
}

/**
 * It was deleted elsewhere: its entry leaves, and what was typed in it waits in a new one. `inList`: it was to be changed there.
 * @param {{id: string}} detail @param {{inList?: boolean}} [options]
 */
function gone({ id }, { inList = false } = {}) {
  if (!inList && sidebar.isDeleting(id)) return
  const listed = sidebar.forget(id)
  const words = t(composer.handOver(id) ? "js.conversation_gone_kept" : "js.conversation_gone")
  const here = id === shown
  if (here) history.replaceState(null, "", "/")
  if (here) show(null)
  if (here && !inList) composer.showProblem(words)
  else if (listed) toast(words, { kind: "danger" })
}

/** The page was asked for one that is not there. @param {string} id */
function missing(id) {
  composer.handOver(id)
  history.replaceState(null, "", "/")
  show(null)
  composer.showProblem(t("js.not_found"))
}

/** @param {string} path */
function go(path) {
  if (path !== location.pathname) history.pushState(null, "", path)
  show(idInAddress())
}

/** @param {string | null} id */
async function show(id) {
  shown = id
  composer.moveTo(id)
  sidebar.select(id)
  showTitle(id ? sidebar.titleOf(id) : "")
  showWelcome(id === null)
  if (matchMedia("(hover: hover)").matches) composer.focus()
  if (id === null && !loading) return
  try {
    const here = await conversation()
    if (shown !== id) return
    if (id === null) return here.leave()
    const stored = enclosed?.id === id ? enclosed : undefined
    enclosed = null
    await here.open(id, stored)
  } catch (error) {
    if (id && isGone(error)) gone({ id })
    else if (shown === id) composer.showProblem(sentence(error))
  }
}

/** Only the newest look counts. Where it fails the line stays as it was. */
async function lookAtBudgets() {
  const look = ++looks
  const { budgets } = await api.get("/api/budgets").catch(() => ({ budgets: null }))
  if (!budgets || look !== looks) return
  limited = budgets.length > 0
  composer.showLeft(budgets)
}

/** @param {string} text */
function startWith(text) {
  composer.write(text)
  composer.focus()
}

/** @param {string} title */
function showTitle(title) {
  must(root, "[data-title]").textContent = title || t("js.new_chat")
  document.title = `${title || t("js.new_chat")} · ${t("js.brand")}`
}

/** @param {boolean} on */
function showWelcome(on) {
  welcome.hidden = !on
  root.classList.toggle("chat--empty", on)
}

function greet() {
  const hour = new Date().getHours()
  const part = hour < 5 || hour >= 18 ? "evening" : hour < 12 ? "morning" : "day"
  must(welcome, "[data-greeting]").textContent = t(`js.greeting_${part}`, { name: root.dataset.username ?? "" })
}

function idInAddress() {
  return /^\/c\/([^/]+)$/.exec(location.pathname)?.[1] ?? null
}

/** @param {HTMLAnchorElement} link @param {MouseEvent} event */
function opensHere(link, event) {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
  const url = new URL(link.href, location.href)
  return plain && !link.target && url.origin === location.origin && (url.pathname === "/" || url.pathname.startsWith("/c/"))
}

/** On iOS the keyboard covers the page without resizing it; the chat keeps to the part that is seen. */
function watchKeyboardHeight() {
  const view = globalThis.visualViewport
  view?.addEventListener("resize", () => {
    root.style.setProperty("--visible-height", `${view.height}px`)
    if (view.offsetTop > 0) scrollTo(0, 0)
  })
}
