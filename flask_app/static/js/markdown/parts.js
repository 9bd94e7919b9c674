// @ts-check
/**
 * A long list or table that grows, in parts: its items, or its rows below the head. A row is finished with its line, an item once the
 * next has begun. While it grows its parts go out one after the other, and what is parsed again is the unfinished one.
 */
import { emptyEnds } from "app/markdown/tables.js"

/** @typedef {import("markdown-it").Token} Token */
/** @typedef {{open: Token[], parts: Token[][], close: Token[]}} Parted */

const LONG = 2_000 // characters, from which on finished parts go out
const MOST_EMPTY = 300 // tokens of a table's empty cells
const LISTS = ["bullet_list_open", "ordered_list_open"]

/** The parts of one block and what stands around them, null where it has none. @param {Token[]} block @returns {Parted | null} */
export function partsOf(block) {
  const isList = LISTS.includes(block[0]?.type ?? "")
  const begin = isList ? 1 : block[0]?.type === "table_open" ? 1 + block.findIndex(({ type }) => type === "tbody_open") : 0
  if (!begin) return null
  const end = block.length - (isList ? 1 : 2)
  const level = isList ? 1 : 2
  /** @type {Token[][]} */
  const parts = []
  for (const token of block.slice(begin, end)) {
    if (token.level === level && token.nesting === 1) parts.push([])
    parts.at(-1)?.push(token)
  }
  return { open: block.slice(0, begin), parts, close: block.slice(end) }
}

/** @param {Parted} parted @returns {Token[]} */
export const joined = ({ open, parts, close }) => [...open, ...parts.flat(), ...close]

/** Has each item its paragraphs? An empty line anywhere between items makes it so for all of the list. @param {Token[]} block */
const isLoose = (block) => block.some(({ type, level, hidden }) => type === "paragraph_open" && level === 2 && !hidden)

/** Gives the paragraphs in a list's items their tags. @param {Token[]} block */
function loosen(block) {
  for (const token of block) if (token.level === 2 && token.type.startsWith("paragraph_")) token.hidden = false
}

/** What has gone out of a list or table that grows. */
export class GivenParts {
  /** What stands before the unfinished part for the parser: the lines of a table's head. */
  #head = ""
  #text = ""
  #type = ""
  #isLoose = false

  /** Has anything? */
  get isBegun() {
    return this.#type !== ""
  }

  /** Is this the rest of it and nothing more? @param {Token | undefined} token @param {number} index of the last block's beginning */
  goesOn(token, index) {
    return index === 0 && token?.type === this.#type
  }

  /** The text as a whole, of the block and what comes behind. @param {string} tail */
  whole(tail) {
    return this.#head + this.#text + tail.slice(this.#head.length)
  }

  /** The rest as it will look below the others. @param {Token[]} tail */
  suit(tail) {
    if (this.#isLoose && LISTS.includes(this.#type)) loosen(tail)
  }

  /**
   * Is it worth while to look for finished ones? Not in a table of empty cells: how many of these there may be is known of a whole one.
   * @param {Token[]} block the tail @param {string} text
   */
  isDue(block, text) {
    if (text.length - this.#head.length <= LONG || (partsOf(block)?.parts.length ?? 0) <= 2) return false
    return block[0]?.type !== "table_open" || emptyEnds(block).size <= MOST_EMPTY
  }

  /** Do those that went out look otherwise by what follows them? @param {Token[]} block */
  changesBy(block) {
    return this.isBegun && !this.#isLoose && LISTS.includes(this.#type) && isLoose(block)
  }

  /** Takes those that are finished. @param {Token[]} block of whole lines @param {string} text these, and a line that is being written */
  take(block, text) {
    const parted = /** @type {Parted} */ (partsOf(block))
    const isTable = block[0]?.type === "table_open"
    const lines = text.split("\n")
    const end = parted.parts.at(-1)?.[0]?.map?.[isTable ? 1 : 0] ?? 0
    if (isTable) this.#head = lines.slice(0, 2).join("\n") + "\n"
    this.#type = block[0]?.type ?? ""
    this.#isLoose ||= isLoose(block)
    this.suit(block)
    this.#text += lines.slice(isTable ? 2 : 0, end).map((line) => `${line}\n`).join("")
    const parts = isTable ? parted.parts : parted.parts.slice(0, -1)
    return { parts: joined({ ...parted, parts }), rest: this.#head + lines.slice(end).join("\n") }
  }
}
