// @ts-check
/** Shows the current tab in the middle of its list, where that scrolls; the page stays where it is. */
const tab = document.querySelector(".tabs [aria-current]")
const list = tab?.closest(".tabs")

if (tab && list) {
  const from = middle(list)
  const to = middle(tab)
  list.scrollBy(to.x - from.x, to.y - from.y)
}

/** @param {Element} element */
function middle(element) {
  const { x, y, width, height } = element.getBoundingClientRect()
  return { x: x + width / 2, y: y + height / 2 }
}
