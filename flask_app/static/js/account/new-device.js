// @ts-check
/** The notice of a sign-in from a new browser: who says that it was them sees it no more. */
import { api } from "app/api.js"
import { must, tell } from "app/ui.js"

/** Pages that stand apart, a shared conversation's say, have none. @type {HTMLElement | null} */
const notice = document.querySelector("[data-new-device]")

notice?.querySelector("[data-own-device]")?.addEventListener("click", async () => {
  try {
    await api.post(`/api/me/devices/${notice.dataset.newDevice}/confirm`)
  } catch (error) {
    return tell(error)
  }
  notice.remove()
  must(document, "#main").focus()
  document.dispatchEvent(new CustomEvent("devicechange"))
})
