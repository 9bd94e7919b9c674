// @ts-check
/**
 * Deleting a conversation with a while to think it over: the server is told when the toast goes. It goes too when the page is left,
 * and on a phone when it is hidden: what is hidden there may be ended without a word, elsewhere it goes on and is told of its end.
 */
import { api, isGone } from "app/api.js"
import { t } from "app/i18n.js"
import { undoable } from "app/undo.js"
import { isTouched } from "app/chat/writing.js"

const LONGEST = 40 // characters of a title in its notice
const LONGEST_AGO = 999_999_999 // milliseconds; what the server reads as a number

/** The toasts of those that wait, by id. @type {Map<string, import("app/undo.js").Offer>} */
const waiting = new Map()

/** What the server is being told, by id. @type {Map<string, Promise<void>>} */
const underWay = new Map()

addEventListener("pagehide", () => {
  const ids = [...waiting.keys(), ...underWay.keys()]
  if (ids.length) sessionStorage.setItem("deleted", JSON.stringify(ids)) // the next page may come before it is done
  deleteWaiting()
})
document.addEventListener("visibilitychange", () => document.hidden && isTouched() && deleteWaiting())

/** Nothing can be undone any more; waits until the server has answered, whatever it says. */
export async function deleteWaiting() {
  for (const { leave } of [...waiting.values()]) leave()
  await Promise.all(underWay.values())
}

/** One that is opened is not deleted. What the server is being told already is waited for. @param {string} id */
export async function keep(id) {
  waiting.get(id)?.undo()
  await underWay.get(id)
}

/**
 * Whether it was deleted; false where that was undone. Rejects where the server refuses, as where something was asked in it elsewhere
 * meanwhile: that has undone it too. @param {{id: string, title: string}} conversation @returns {Promise<boolean>} */
export function deleteUnlessUndone({ id, title }) {
  const decided = Date.now()
  return new Promise((resolve, reject) => {
    const left = () => {
      waiting.delete(id)
      underWay.set(id, deleteNow(id, Date.now() - decided).then(() => resolve(true), reject).finally(() => underWay.delete(id)))
    }
    const undo = () => {
      waiting.delete(id)
      resolve(false)
    }
    waiting.set(id, undoable(t("js.deleted", { title: briefly(title) }), { undo, left }))
  })
}

/** @param {string} title */
function briefly(title) {
  const signs = [...title]
  return signs.length > LONGEST ? `${signs.slice(0, LONGEST - 1).join("")}…` : title
}

/** One that was deleted elsewhere meanwhile is deleted all the same. @param {string} id @param {number} ago milliseconds since that was decided, by this machine's clock alone */
async function deleteNow(id, ago) {
  const since = Math.min(Math.max(ago, 0), LONGEST_AGO)
  try {
    await api.delete(`/api/conversations/${encodeURIComponent(id)}?decided_ms_ago=${since}`, { keepalive: true })
  } catch (error) {
    if (!isGone(error)) throw error
  }
}
