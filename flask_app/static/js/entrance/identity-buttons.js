// @ts-check
/** Signing in by an organisation's own identity: each button leads to its provider. */
import { api } from "app/api.js"
import { sentence } from "app/i18n.js"
import { must } from "app/ui.js"

/** Where the page that the provider sends people back to goes on. */
export const NEXT = "mingchat-next"

const group = document.querySelector("[data-identities]")
const failure = document.querySelector("[data-identity-error]")
group?.addEventListener("click", async ({ target }) => {
  const button = /** @type {Element} */ (target).closest("[data-provider]")
  if (!(button instanceof HTMLButtonElement) || !(failure instanceof HTMLElement)) return
  failure.hidden = true
  button.setAttribute("aria-busy", "true")
  try {
    const { location: onward } = await api.post("/api/login/identity", { provider: button.dataset.provider })
    sessionStorage.setItem(NEXT, must(document, "[data-entrance]").dataset.next ?? "/")
    location.assign(onward)
  } catch (error) {
    failure.textContent = sentence(error)
    failure.hidden = false
    button.removeAttribute("aria-busy")
  }
})
// Back from the provider shows this page as it was left.
addEventListener("pageshow", () => group?.querySelector("[aria-busy]")?.removeAttribute("aria-busy"))
