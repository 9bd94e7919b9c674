// @ts-check
/** Entry of the notice of a supervised group: its reader says that they have read it. */
import { api } from "app/api.js"
import { tell } from "app/ui.js"

document.querySelector("[data-see]")?.addEventListener("click", async () => {
  try {
    await api.post("/api/me/supervision")
    location.assign("/")
  } catch (error) {
    tell(error)
  }
})
