// @ts-check
/** The button below a list that brings its next page: pressed twice it asks once. */
import { tell } from "app/ui.js"

/** @param {HTMLElement} button @param {() => Promise<void>} load */
export function onMore(button, load) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return
    button.setAttribute("aria-busy", "true")
    try {
      await load()
    } catch (error) {
      tell(error)
    } finally {
      button.removeAttribute("aria-busy")
    }
  })
}
