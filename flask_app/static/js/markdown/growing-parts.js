// @ts-check
/** A long list or table in the page that grows by items or rows: those that stand there stay. */
import { markupOf } from "app/markdown.js"
import { eachBlock } from "app/markdown/blocks.js"
import { joined, partsOf } from "app/markdown/parts.js"

/** @typedef {import("markdown-it").Token} Token */

export class GrowingParts {
  element
  #place
  /** What stands there was drawn from this. */
  #markup = ""
  #count = 0

  /** @param {HTMLElement} element with the first parts */
  constructor(element) {
    this.element = element
    this.#place = /** @type {HTMLElement} */ (placeIn(element))
  }

  /** These stand there now, behind the others. @param {Token[]} block @param {Record<string, unknown>} env */
  note(block, env) {
    const { open, parts } = /** @type {import("app/markdown/parts.js").Parted} */ (partsOf(block))
    this.#markup += markupOf([...(this.#markup ? [] : open), ...parts.flat()], env)
    this.#count += parts.length
  }

  /** Moves the parts of the first block over. @param {DocumentFragment} fragment @returns {ChildNode[]} */
  take({ firstElementChild: block }) {
    if (!block) return []
    const place = placeIn(block)
    const nodes = [...(place?.childNodes ?? [])].slice(1) // no second line end
    this.#place.append(...nodes)
    for (const name of block.classList) this.element.classList.add(name)
    for (const name of place?.closest("ul, ol, table")?.classList ?? []) this.#place.closest("ul, ol, table")?.classList.add(name)
    if (block.nextSibling?.nodeType === 3) block.nextSibling.remove()
    block.remove()
    return nodes
  }

  /** Now and not with the frame, for who measures what a change costs: all rows of a table are laid out for each. */
  layOut() {
    return this.element.offsetHeight
  }

  /**
   * What is missing of the whole, null where that looks otherwise.
   * @param {Token[]} tokens the whole and what comes behind it @param {Record<string, unknown>} env
   */
  rest(tokens, env) {
    const [block = [], ...others] = eachBlock(tokens)
    const parted = partsOf(block)
    if (!parted || !markupOf(block, env).startsWith(this.#markup)) return null
    return [...joined({ ...parted, parts: parted.parts.slice(this.#count) }), ...others.flat()]
  }
}

/** Where the parts of a list or table stand. @param {Element} block */
function placeIn(block) {
  return block.matches("ul, ol") ? block : block.querySelector("tbody")
}
