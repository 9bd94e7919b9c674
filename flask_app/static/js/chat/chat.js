// @ts-check
/** Entry of the chat page: wires list, composer and conversation to the address; the palette finds them here. */
import { aTurnLater, inTime, isGone, loadWith, loaded } from "app/api.js"
import { Composer } from "app/chat/composer.js"
import { sentenceOfUnsent, siteName, t, wayToSignIn } from "app/i18n.js"
import { Sidebar } from "app/sidebar/sidebar.js"
import { Unreached, must, pageState, reactTo, tell, toast } from "app/ui.js"
import { Drafts, commandIn, filesIn, isFinger, keepToWhatIsSeen, mentionIn, notesOf, opensHere } from "app/chat/writing.js"

/** @typedef {import("app/chat/conversation.js").Conversation} Conversation */

const [state, root] = [pageState("chat-state"), must(document, "[data-chat]")]
export const sidebar = new Sidebar(must(root, "[data-sidebar]"), state)
export const composer = new Composer(/** @type {HTMLFormElement} */ (must(root, "[data-composer]")), state)
const unreached = new Unreached(root, () => show(shown))
/** @type {[Promise<Conversation> | null, Conversation | null]} */
let [loading, made] = [null, null]
const [isAwaited, attachable] = [notesOf("waiting").read(null) !== "", state.temporary ? null : state.files] // a message waits for its turn, from before this page
/** Which is shown, and which was when it was deleted or archived. @type {[string | null, string | null]} */
let [shown, left] = [null, null]
let [enclosed, isLooking, limited] = [state.thread, false, state.budgets.length > 0] // the first came with the page: shown once, asked for again later

keepToWhatIsSeen(root)
new Drafts().take(state.thread?.id ?? null, state.draft)
if (state.budgets.some((/** @type {{state: string}} */ { state: each }) => each === "exhausted")) lookAtBudgets() // until when, by this clock
reactTo(composer, {
  send,
  stop: async () => (await conversation()).stop(),
  editlast: async () => shown && (await conversation()).editLast(),
  anew: () => {
    if (shown && !state.temporary) composer.handOver(shown)
    anew()
  },
  attach: () => attachable && attaching(() => undefined),
})
reactTo(sidebar, {
  left: ({ id }) => (left = id === shown ? id : null) && go("/"),
  restored: ({ id }) => id === left && shown === null && go(`/c/${id}`),
  gone: (detail) => gone(detail, { inList: true }),
  changed: tellShown,
})
must(root, "[data-unarchive]").addEventListener("click", () => sidebar.act("archive", shown ?? ""))
addEventListener("popstate", () => {
  const isHere = idInAddress() === shown && !new URLSearchParams(location.hash.slice(1)).has("message")
  if (!isHere && !state.assistant && location.search.includes("assistant=")) location.reload() // which one that is, this page was not told
  else if (!isHere) show(idInAddress()) // else a place on this page, as the skip link leads to
})
document.addEventListener("visibilitychange", () => document.hidden || lookAgain())
addEventListener("focus", lookAgain)
root.addEventListener("click", (event) => {
  const pressed = /** @type {Element} */ (event.target)
  const idea = pressed.closest("[data-idea]")?.getAttribute("data-idea")
  if (idea) composer.putFirst(composer.place, idea) // what is written stays, below it
  if (idea) composer.focus()
  const link = pressed.closest("a")
  if (link && opensHere(link, event)) {
    event.preventDefault()
    const { pathname, hash } = new URL(link.href)
    go(pathname + hash)
  }
})
loadParts()
for (const name of ["input", "pointerdown"]) must(root, "[data-composer]").addEventListener(name, prefetch, { once: true })
if (isAwaited || state.conversations.some((/** @type {{running: boolean}} */ { running }) => running)) prefetch()
if (state.missing) missing(idInAddress() ?? "")
else show(idInAddress())

/** What a conversation needs is loaded when one is opened or written. */
function conversation() {
  loading ??= load().catch((error) => {
    loading = null
    throw error
  })
  return loading
}

async function load() {
  const part = state.temporary ? import("app/chat/temporary.js") : import("app/chat/conversation.js")
  const [{ Conversation }, { Elsewhere }, { showAssistants }] = await inTime(() => loaded(Promise.all([part, import("app/chat/elsewhere.js"), import("app/chat/assistant-shown.js"), drafts()]).then(aTurnLater)))
  made = new Conversation(root, composer, state.is_admin)
  showAssistants(root, composer, made)
  const elsewhere = new Elsewhere(sidebar, made.queue, () => shown, state)
  reactTo(made, {
    started,
    coming: ({ id, arrival }) => unreached.during(arrival).catch((error) => shown === id && unreached.show(error)),
    opened: (detail) => {
      sidebar.note({ ...detail, running: detail.messages.some((/** @type {{status: string}} */ { status }) => status === "running") })
      showTitle(detail.title)
      unreached.hide()
    },
    refused: () => {
      if (shown === null || (state.temporary && made?.isEmpty)) showWelcome(true)
      lookAtBudgets({ isRefused: true })
    },
    gone,
    anew: ({ text, files }) => anew(text, files),
    ended: ({ id, isFirst }) => {
      if (!state.temporary) sidebar.touch(id, { running: false })
      if (isFirst && !state.temporary) elsewhere.lookForTitle(id)
      lookAtBudgets()
    },
  })
  return made
}

/** Drafts are kept on the server with the first word, and asked for wherever somebody comes to; of a temporary chat there is none. */
async function drafts() {
  return state.temporary ? null : (await import("app/chat/shared-drafts.js")).sharedDrafts(composer, state.thread?.id ?? null)
}

function prefetch() {
  const ask = () => conversation().catch(() => undefined) // the send that follows will say what is wrong
  if ("requestIdleCallback" in globalThis) requestIdleCallback(ask, { timeout: 1000 }) // without a frame nobody is ever idle
  else setTimeout(ask)
}

/** @param {import("app/chat/composer.js").Outgoing} outgoing */
async function send(outgoing) {
  const home = shown
  composer.state = "sending" // also while what a conversation needs is loaded
  unreached.keep(outgoing.text)
  try {
    const here = await conversation()
    showWelcome(false)
    await here.send(outgoing, home)
  } catch (error) {
    if (home === shown) composer.state = "idle"
    composer.giveBack(home, outgoing)
    tell(error, () => composer.showProblem(sentenceOfUnsent(error), { way: wayToSignIn(error) }))
  }
  if (home === shown) unreached.keep("")
}

/** What is asked takes it out of the archive. One that is joined may have been renamed since it was asked. @param {{id: string, title: string, here: boolean, isNew: boolean, isAsked: boolean}} start */
function started({ id, title, here, isNew, isAsked }) {
  if (state.temporary) return // it stands in no list
  sidebar.touch(id, { running: true, ...(isAsked || !sidebar.get(id) ? { title } : {}), ...(isAsked ? { archived: false } : {}) })
  if (!here) return void (id === shown && conversation().then((there) => there.refresh()).catch(() => undefined)) // opened anew since it was asked
  if (isNew) {
    shown = id
    composer.adopt(id)
    history.pushState(null, "", `/c/${id}`)
  }
  sidebar.select(id)
}

/**
 * It was deleted elsewhere: its entry leaves, and what was typed in it waits in a new one. `inList`: it was to be changed there.
 * @param {{id: string}} detail @param {{inList?: boolean}} [options]
 */
function gone({ id }, { inList = false } = {}) {
  const here = id === shown
  const isOwn = sidebar.deleting.has(id) // it was deleted here, or by the page before
  if (isOwn && !here && !inList) return
  const listed = sidebar.forget(id)
  made?.takeAllBack(id)
  const isKept = composer.handOver(id)
  const words = t(isOwn ? "js.not_found" : isKept ? "js.conversation_gone_kept" : "js.conversation_gone")
  if (here) history.replaceState(null, "", "/")
  if (here) show(null)
  if (here && !inList) composer.showProblem(words)
  else if (listed) toast(words, { kind: "danger" })
  lookAtBudgets()
}

/** The page was asked for one that is not there. @param {string} id */
async function missing(id) {
  if (isAwaited) await conversation().then((there) => there.takeAllBack(id)).catch(() => undefined)
  composer.handOver(id)
  history.replaceState(null, "", "/")
  show(null)
  composer.showProblem(t("js.not_found"))
}

/** In a new one with the same assistant, before what is being written there; a temporary chat begins anew in its place. @param {import("app/chat/composer.js").Outgoing["files"]} [files] */
function anew(text = "", files = undefined) {
  if (!state.temporary) composer.putFirst(null, text, files)
  if (!state.temporary) return go(must(root, "[data-assistant]").dataset.begin ?? "/")
  show(shown).then(() => composer.putFirst(shown, text))
}

/** @param {string} path behind # the message that is to be seen, and words in it */
export function go(path) {
  if (state.temporary) return void import("app/chat/temporary.js").then(({ leaveFor }) => leaveFor(path), tell)
  if (path.includes("?") && !path.endsWith(`=${state.assistant?.id}`)) return location.assign(path) // this page was not told of that assistant
  const isHere = new URL(path, location.href).pathname === location.pathname
  history[isHere ? "replaceState" : "pushState"](null, "", path)
  show(idInAddress())
}

/** Searching is loaded when somebody goes to its field, the archive when it is opened, models to be chosen in the text with the first @, prompts with the first /, dictation with a press, swiping with a touch. */
function loadParts() {
  const [form, list, microphone] = [must(root, "[data-composer]"), must(root, "[data-sidebar]"), must(root, "[data-dictate]")]
  loadWith(must(list, "[data-search-field]"), "focus", async () => new (await import("app/sidebar/search.js")).Search(list), tell)
  loadWith(must(list, "[data-archive-open]"), "click", async () => new (await import("app/sidebar/archive.js")).Archive(sidebar, list).toggle(), tell)
  loadWith(form, "input", ({ target }) => mentionIn(target) && import("app/chat/mention.js").then(({ Mention }) => new Mention(form, composer)), tell)
  loadWith(form, "input", ({ target }) => commandIn(target) && import("app/chat/prompt-offer.js").then(({ PromptOffer }) => new PromptOffer(form, composer)), tell)
  for (const name of ["change", "paste", "dragenter", "dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      const files = attachable && filesIn(event)
      if (files) attaching((there) => there.take(name, files))
    })
  }
  form.querySelector("[data-attach]")?.dispatchEvent(new Event("change", { bubbles: true })) // chosen before this page's scripts had come
  loadWith(microphone, "click", async () => new (await import("app/chat/dictation.js")).Dictation(form, composer).start(), tell)
  loadWith(root, "pointerdown", (event) => isFinger(event) && import("app/chat/swipe.js").then(({ Swipe }) => new Swipe(root, list).begin(event)), () => undefined)
}

/** Attaching is loaded with the first files that are chosen, pasted or dragged here, and where some are attached. @param {(there: import("app/chat/attaching.js").Attaching) => void} act */
function attaching(act) {
  prefetch()
  loaded(import("app/chat/attaching.js")).then(({ attachingIn }) => act(attachingIn(root, composer, attachable)), tell)
}

/** The one on the page; what the list does not know of is neither pinned nor archived. @returns {import("app/sidebar/sidebar.js").Summary | null} */
export function shownConversation() {
  const title = must(root, "[data-title]").textContent ?? ""
  return shown && !state.temporary ? (sidebar.get(shown) ?? { id: shown, title, updated_at: "", running: false, pinned_at: null, archived: false, folder_id: null }) : null
}

/** The last message on the page, where that conversation is on it. @param {string} id */
export const lastShown = (id) => made?.branch.lastOf(id) ?? null

/** @param {string | null} id */
async function show(id) {
  if (id !== shown) unreached.hide()
  shown = id
  const sought = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  if (sought.message) history.replaceState(null, "", location.pathname) // a reload is not sent there again
  const isAssisted = id === null && new URLSearchParams(location.search).get("assistant") === state.assistant?.id
  composer.moveTo(id, isAssisted ? state.assistant : null)
  if (attachable && (isAwaited || notesOf("files").read(id))) attaching(() => undefined)
  sidebar.select(id)
  showTitle((id && (sidebar.get(id) ?? (enclosed?.id === id ? enclosed : null))?.title) || "")
  showWelcome(id === null || state.temporary)
  if (matchMedia("(hover: hover)").matches) composer.focus()
  if (id === null) return loading?.then((here) => shown === null && here.leave(), () => undefined)
  try {
    await unreached.during(open(id, sought))
  } catch (error) {
    if (isGone(error)) gone({ id })
    else if (shown === id) unreached.show(error)
  }
}

/** @param {string} id @param {{message?: string, words?: string}} sought */
async function open(id, sought) {
  const here = await conversation()
  if (sidebar.deleting.has(id)) await (await loaded(import("app/chat/deletion.js"))).keep(id)
  if (shown !== id) return
  const stored = enclosed?.id === id ? enclosed : undefined
  enclosed = null
  await here.open(id, stored, sought)
}

/** Whoever comes back sees what was written elsewhere meanwhile. Where it cannot be had the page stays as it was. */
async function lookAgain() {
  const id = shown
  if (isLooking) return // a tab that comes to the front is told so twice
  isLooking = true
  lookAtBudgets()
  try {
    await Promise.all([sidebar.renew(), composer.lookAtHours(), loaded(drafts()).then((shared) => shared?.look()), id && loading && (await loading).refresh()])
  } catch (error) {
    if (id && isGone(error) && shown === id) gone({ id })
  } finally {
    isLooking = false
  }
}

/** Where there are any; a refusal may be that of a new one. Where it fails the line stays as it was. */
async function lookAtBudgets({ isRefused = false } = {}) {
  limited ||= isRefused
  if (limited) limited = await import("app/chat/budgets-left.js").then(({ look }) => look(root, state.is_admin)).catch(() => true)
}

/** @param {string} title */
function showTitle(title) {
  const words = title || t("js.new_chat")
  const place = must(root, "[data-title]")
  if (place.textContent !== words) place.textContent = words
  document.title = `${words} · ${siteName()}`
}

/** What the list knows of the one on the page. */
function tellShown() {
  const known = sidebar.get(shown ?? "")
  if (known) showTitle(known.title)
  must(root, "[data-archived-note]").hidden = !known?.archived
}

/** @param {boolean} on */
function showWelcome(on) {
  must(root, "[data-welcome]").hidden = !on
  root.classList.toggle("chat--empty", on)
}

function idInAddress() {
  return state.temporary ? "temporary" : (/^\/c\/([^/]+)$/.exec(location.pathname)?.[1] ?? null)
}
