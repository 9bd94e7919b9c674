// @ts-check
/** What is done to a conversation from its menu. What leaves the list can be undone. Loaded with the first act. */
import { api, isGone, loaded } from "app/api.js"
import { deleteUnlessUndone } from "app/chat/deletion.js"
import { t } from "app/i18n.js"
import { announce, fill, must, openDialog, tell } from "app/ui.js"
import { undoable } from "app/undo.js"

const PATIENCE = 10_000 // milliseconds in which all that is printed can be had

/** @typedef {import("app/sidebar/sidebar.js").Sidebar} Sidebar */
/** @typedef {import("app/sidebar/sidebar.js").Summary} Summary */

/** By the names of the menu's items. @type {Record<string, (list: Sidebar, conversation: Summary) => Promise<void>>} */
export const acts = { pin, move, take, share, archive, remove }

/** Throws ApiError where the title is refused. @param {Sidebar} list @param {string} id @param {string} title */
export async function rename(list, id, title) {
  const renamed = await api.patch(pathOf(id), { title }).catch((error) => {
    if (!isGone(error)) throw error
  })
  const dialog = /** @type {HTMLDialogElement} */ (must(document, "#rename-dialog"))
  dialog.close()
  if (!renamed) return list.emit("gone", { id })
  const { updated_at, pinned_at, archived, folder_id } = renamed
  list.keep({ running: false, updated_at, pinned_at, archived, folder_id, ...list.get(id), id, title: renamed.title })
  focusEntry(id)
}

/** On top of the list, or off it. @param {Sidebar} list @param {Summary} conversation */
async function pin(list, { id, pinned_at: pinnedAt }) {
  const done = await change(list, id, pinnedAt ? api.delete(pathOf(id, "/pin")) : api.put(pathOf(id, "/pin"), {}))
  if (done) announce(t(pinnedAt ? "js.unpinned" : "js.pinned"))
}

/** Into a folder, or out of one. @param {Sidebar} list @param {Summary} conversation */
async function move(list, conversation) {
  const folders = await list.folders()
  folders.askWhere(conversation)
}

/** As a file, or on paper where it is the one that is open. @param {Sidebar} _list @param {Summary} conversation */
async function take(_list, { id, title }) {
  const dialog = must(document, "#export-dialog")
  fill(dialog, { title })
  for (const link of dialog.querySelectorAll("a")) {
    link.href = pathOf(id, `/export?format=${link.dataset.format}`)
    link.onclick = () => closeDialog(dialog)
  }
  const print = must(dialog, "[data-print]")
  print.hidden = location.pathname !== `/c/${id}`
  print.onclick = () => {
    closeDialog(dialog)
    printWhole().catch(tell)
  }
  openDialog("export-dialog")
}

let isPreparing = false

/** Once all messages are drawn, with their formulas and colours, unless another conversation is open by then. */
async function printWhole() {
  if (isPreparing) return
  isPreparing = true
  const here = location.pathname
  try {
    const { allCome } = await loaded(import("app/markdown/turns.js"))
    dispatchEvent(new Event("beforeprint"))
    await allCome(PATIENCE)
    if (location.pathname === here) window.print()
  } finally {
    isPreparing = false
    dispatchEvent(new Event("afterprint"))
  }
}

/** By a link, for others to read. @param {Sidebar} list @param {Summary} conversation */
async function share(list, conversation) {
  const { askHow } = await loaded(import("app/chat/share.js"))
  await askHow(conversation, (shared) => {
    const known = list.get(conversation.id)
    if (known) list.keep({ ...known, shared })
  })
}

/** @param {HTMLElement} dialog */
function closeDialog(dialog) {
  if (dialog instanceof HTMLDialogElement) dialog.close()
}

/** Out of the list, or back into it. @param {Sidebar} list @param {Summary} conversation */
async function archive(list, { id, archived }) {
  const next = beside(id)
  const done = await (archived ? takeBack(list, id) : change(list, id, api.put(pathOf(id, "/archive"), {})))
  if (!done) return
  focusEntry(next)
  if (archived) return announce(t("js.unarchived"))
  list.emit("left", { id })
  const undo = async () => {
    if (await takeBack(list, id)) list.emit("restored", { id })
  }
  undoable(t("js.archived"), { undo })
}

/** It leaves the list at once, and comes back where that is undone or refused. @param {Sidebar} list @param {Summary} conversation */
async function remove(list, conversation) {
  const { id } = conversation
  const next = beside(id)
  list.deleting.add(id)
  list.forget(id)
  focusEntry(next)
  list.emit("left", { id })
  const deleted = await deleteUnlessUndone(conversation).catch(tell)
  if (deleted) return list.emit("deleted", { id })
  list.deleting.delete(id)
  list.keep(conversation)
  list.emit("restored", { id })
}

/** @param {Sidebar} list @param {string} id */
function takeBack(list, id) {
  return change(list, id, api.delete(pathOf(id, "/archive")))
}

/** Whether it was done. @param {Sidebar} list @param {string} id @param {Promise<Summary>} answered */
async function change(list, id, answered) {
  try {
    const { pinned_at: pinnedAt, archived } = await answered
    const known = list.get(id)
    if (known) list.keep({ ...known, pinned_at: pinnedAt, archived })
    return true
  } catch (error) {
    if (isGone(error)) list.emit("gone", { id })
    else tell(error)
    return false
  }
}

/**
 * Unless the reader has gone on elsewhere. Where it is not seen, it is what is `instead`, or the way to a new one.
 * @param {string | null} id @param {HTMLElement} [instead]
 */
export function focusEntry(id, instead) {
  const side = must(document, "[data-sidebar]")
  const now = document.activeElement
  const entry = id && side.querySelector(`[data-conversation="${id}"] a`)
  const place = entry instanceof HTMLElement && entry.checkVisibility() ? entry : (instead ?? must(side, ".sidebar__new"))
  if (now === document.body || side.contains(now)) place.focus()
}

/** The one below in its list, or above where there is none. @param {string} id */
function beside(id) {
  const list = document.querySelector(`[data-conversation="${id}"]`)?.closest("[data-archive], [data-recent]")
  const entries = [...(list?.querySelectorAll("[data-conversation]") ?? [])].map((entry) => entry.getAttribute("data-conversation"))
  const at = entries.indexOf(id)
  return entries[at + 1] ?? entries[at - 1] ?? null
}

/** @param {string} id @param {string} [what] */
function pathOf(id, what = "") {
  return `/api/conversations/${encodeURIComponent(id)}${what}`
}
