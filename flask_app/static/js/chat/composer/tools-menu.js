// @ts-check
/** The menu of the tools that a model may call for an answer, where there are any to choose: how many are chosen stands on its button. */
import { formatNumber, t } from "app/i18n.js"
import { must, placeBeside, slot } from "app/ui.js"

/** Gives what shows on the button what is chosen. @param {HTMLElement} form @returns {(on: string[]) => void} */
export function toolsMenu(form) {
  const panel = /** @type {HTMLElement | null} */ (form.querySelector("[data-tools-menu]"))
  if (!panel) return () => undefined
  const button = must(form, "[data-tools]")
  const place = () => panel.matches(":popover-open") && placeBeside(panel, button)
  panel.addEventListener("toggle", place)
  addEventListener("resize", place) // a keyboard on glass comes and goes
  panel.addEventListener("keydown", (press) => {
    if (press.key !== "Enter") return
    press.preventDefault() // it would send what is written
    panel.hidePopover()
  })
  return (on) => {
    const count = slot(button, "count")
    count.hidden = !on.length
    count.textContent = formatNumber(on.length)
    button.toggleAttribute("data-on", on.length > 0)
    button.setAttribute("aria-label", on.length ? t("js.tools_chosen", { count: formatNumber(on.length) }) : t("js.tools"))
  }
}
