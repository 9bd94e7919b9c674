// @ts-check
/** Signing out, loaded when somebody does: nothing of theirs stays in this browser. */
import { api } from "app/api.js"
import { deleteWaiting } from "app/chat/deletion.js"

/** What was deleted is told to the server first: afterwards nobody may. Throws ApiError. @param {string} kept the cache of what was noted for when there is no network */
export async function signOut(kept) {
  await deleteWaiting()
  await api.post("/logout")
  sessionStorage.clear() // over plain http browsers do not heed Clear-Site-Data
  localStorage.clear()
  await globalThis.caches?.delete(kept)
  location.assign("/login")
}
