// @ts-check
/** Room for the chosen model's name in the row below the text. */

/**
 * On a phone what all the names begin with is left out, part by part, as far as its row has no room for the chosen one. Where that is not
 * enough, the row is told so (`data-crowded`): how it thinks is drawn alone, or it breaks, and the name stands there whole. @param {HTMLSelectElement} select
 */
export function nameBriefly(select) {
  const names = [...select.options].map(({ text }) => text).sort()
  const [, begin = ""] = (names.length > 1 && /^(.*[-_/: ]).*\n\1/.exec(`${names[0]}\n${names.at(-1)}`)) || []
  const [small, field, row] = [matchMedia("(max-width: 30rem)"), select.parentElement, select.parentElement?.parentElement]
  if (!field || !row) return
  const name = (/** @type {number} */ cut) => {
    for (const option of select.options) option.label = cut ? `…${option.text.slice(cut)}` : option.text
  }
  const isFull = () => row.scrollWidth > row.clientWidth
  const show = () => {
    name(0)
    delete row.dataset.crowded
    if (!small.matches) return
    ;[field.style.flexShrink, select.style.maxInlineSize] = ["0", "none"] // as wide as the name is
    for (const { index } of begin.matchAll(/[-_/: ]/g)) if (isFull()) name(index + 1)
    if (isFull()) row.dataset.crowded = "drawn"
    const isBroken = isFull()
    ;[field.style.flexShrink, select.style.maxInlineSize] = ["", ""]
    if (!isBroken) return
    name(0)
    row.dataset.crowded = "broken"
  }
  show()
  const resized = new ResizeObserver(() => requestAnimationFrame(show))
  for (const each of [select, ...row.children]) resized.observe(each) // also what is beside it comes and goes
}
