// @ts-check
/** The cards of what one takes along, conversations as files, with how far each is. */
import { download } from "app/download"
import { must } from "app/ui"

/** Has the links fetch what is chosen; without this module they fetch everything. */
export function offerExport() {
  const root = document.querySelector("[data-downloads]")
  if (!(root instanceof HTMLElement)) return
  const which = /** @type {HTMLSelectElement} */ (must(root, "[data-which]"))
  let isGoing = false
  for (const link of root.querySelectorAll("a")) {
    link.addEventListener("click", async (press) => {
      press.preventDefault()
      if (isGoing) return
      isGoing = true
      const address = new URL(link.href)
      if (which.value) address.searchParams.set("folder", which.value)
      else address.searchParams.delete("folder")
      link.href = address.href
      await download(root, link, Number(which.selectedOptions[0]?.dataset.count))
      isGoing = false
    })
  }
}
