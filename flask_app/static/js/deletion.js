// @ts-check
/** Deleting a conversation with a while to think it over: the server is told when the toast goes or the page is left. */
import { api, isGone } from "app/api"
import { t } from "app/i18n"
import { offerUndo } from "app/ui"

/** The toasts of those that wait, by id. @type {Map<string, {leave: () => void, undo: () => void}>} */
const waiting = new Map()

addEventListener("pagehide", () => {
  if (waiting.size) sessionStorage.setItem("deleted", JSON.stringify([...waiting.keys()])) // the next page may come before it is done
  for (const { leave } of [...waiting.values()]) leave()
})

document.addEventListener("keydown", (press) => {
  const field = /** @type {HTMLElement & {value?: string}} */ (press.target)
  const isUndo = (press.ctrlKey || press.metaKey) && !press.shiftKey && press.key.toLowerCase() === "z"
  const last = [...waiting.values()].at(-1)
  if (!isUndo || !last || field.value) return // a field undoes what was typed in it
  press.preventDefault()
  last.undo()
})

/** Whether it was deleted; false where that was undone. Rejects where the server refuses. @param {string} id @returns {Promise<boolean>} */
export function deleteUnlessUndone(id) {
  return new Promise((resolve, reject) => {
    const left = () => {
      waiting.delete(id)
      deleteNow(id).then(() => resolve(true), reject)
    }
    const undo = () => {
      waiting.delete(id)
      resolve(false)
    }
    waiting.set(id, offerUndo(t("js.deleted"), { undo, left }))
  })
}

/** One that was deleted elsewhere meanwhile is deleted all the same. @param {string} id */
async function deleteNow(id) {
  try {
    await api.delete(`/api/conversations/${encodeURIComponent(id)}`, { keepalive: true })
  } catch (error) {
    if (!isGone(error)) throw error
  }
}
