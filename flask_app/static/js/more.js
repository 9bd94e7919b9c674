// @ts-check
/** The button below a list that brings its next page: pressed twice it asks once. */
import { sentence } from "app/i18n"
import { toast } from "app/ui"

/** @param {HTMLElement} button @param {() => Promise<void>} load */
export function onMore(button, load) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return
    button.setAttribute("aria-busy", "true")
    try {
      await load()
    } catch (error) {
      toast(sentence(error), { kind: "danger" })
    } finally {
      button.removeAttribute("aria-busy")
    }
  })
}
