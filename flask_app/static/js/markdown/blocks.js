// @ts-check
/**
 * A growing Markdown text in two parts: blocks that more text cannot change any more, and the unfinished tail.
 * Only the last top-level block can still change, so everything before it is settled and rendered once. While that block is
 * an open fence all that comes is code, and nothing is parsed; while it is a long list or table, its last part is.
 */
import { OpenFence } from "app/markdown/fences.js"
import { GivenParts, partsOf } from "app/markdown/parts.js"

/** @typedef {import("markdown-it").Token} Token */
/**
 * `code`: nothing but this, behind what the tail has. `parts`: finished ones of a list or table, its first or behind those that went out
 * before; the tail is the rest of it, and once it is over the first of what is settled is all of it.
 * @typedef {{settled: Token[], tail: Token[], env: Record<string, unknown>, code?: string, parts?: Token[], isFirst?: boolean}} Step
 */

/** What may yet become a list's next item, and is none yet. */
const NO_ITEM_YET = /^ {0,3}(?:\d{1,9}|[-*][-* \t]*)$/

/** Blocks of a long answer stand in groups, by this class: whoever lays the page out need not look at each of them again. */
export const GROUP = "prose__group"

/** The blocks that are drawn in `prose`, in groups or not. @param {Node} prose @returns {Element[]} */
export function blocksIn(prose) {
  const elements = /** @type {Element[]} */ ([...prose.childNodes].filter(({ nodeType }) => nodeType === 1))
  return elements.flatMap((each) => (each.getAttribute("class") === GROUP ? blocksIn(each) : each))
}

/** The tokens of each top-level block. @param {Token[]} tokens */
export function eachBlock(tokens) {
  /** @type {Token[][]} */
  const blocks = []
  for (const token of tokens) {
    if (token.level === 0 && token.nesting !== -1) blocks.push([])
    blocks.at(-1)?.push(token)
  }
  return blocks
}

export class GrowingMarkdown {
  #parser
  #tail = ""
  /** The first half of an end of line, perhaps. */
  #held = ""
  /** @type {OpenFence | null} */
  #fence = null
  #given = new GivenParts()
  /** Reference links defined in settled blocks stay known. @type {Record<string, unknown>} */
  #env

  /** @param {import("markdown-it").MarkdownIt} parser @param {Record<string, unknown>} [env] what else it is parsed with */
  constructor(parser, env = {}) {
    this.#parser = parser
    this.#env = { ...env, arriving: true }
  }

  /** How much is parsed again with the next piece, in characters. */
  get tailLength() {
    return this.#fence ? 0 : this.#tail.length
  }

  /** Is the tail an open fence, to which code can be added? */
  get isInCode() {
    return this.#fence !== null
  }

  /** Is the tail the rest of a list or table whose finished parts have gone out? */
  get isInParts() {
    return this.#given.isBegun
  }

  /** @param {string} text what has been added @returns {Step} */
  push(text) {
    const added = this.#withOneKindOfLine(text)
    this.#tail += added
    const code = this.#fence?.take(added)
    if (this.#fence && !this.#fence.isOver) return { settled: [], tail: [], env: this.#env, code }
    const { topHeading } = this.#env
    const { tokens, index, line } = this.#parsed()
    const settled = tokens.slice(0, index)
    this.#tail = this.#tail.slice(startOfLine(this.#tail, line))
    const step = this.#inParts(tokens.slice(index))
    const isHeaded = [...settled, ...(step.parts ?? [])].some(({ type }) => type === "heading_open")
    if (!isHeaded) this.#env.topHeading = topHeading // "#" may become "##"
    return { settled, ...step, env: this.#env }
  }

  /** The tail as it stands once no more text comes. @returns {{tail: Token[], env: Record<string, unknown>}} */
  end() {
    const env = { ...this.#env, arriving: false }
    this.#fence = null
    this.#takeBack()
    return { tail: this.#parser.parse(this.#tail + this.#held, env), env }
  }

  /** The tail, with all of a list or table where that is over. */
  #parsed() {
    const tokens = this.#parser.parse(this.#tail, this.#env)
    const last = this.#lastBlock(tokens)
    if (!this.#given.isBegun || this.#given.goesOn(tokens[0], last.index)) return { tokens, ...last }
    this.#takeBack()
    const whole = this.#parser.parse(this.#tail, this.#env)
    return { tokens: whole, ...this.#lastBlock(whole) }
  }

  #takeBack() {
    if (this.#given.isBegun) this.#tail = this.#given.whole(this.#tail)
    this.#given = new GivenParts()
  }

  /** Has what is finished of a long list or table go out. @param {Token[]} tail @returns {{tail: Token[], parts?: Token[], isFirst?: boolean}} */
  #inParts(tail) {
    if (this.#given.changesBy(tail) && this.#given.changesBy(this.#wholeLines())) {
      this.#takeBack()
      tail = this.#parser.parse(this.#tail, this.#env)
    }
    this.#given.suit(tail)
    if (!this.#given.isDue(eachBlock(tail)[0] ?? [], this.#tail)) return { tail }
    const tokens = this.#wholeLines()
    const isFirst = !this.#given.isBegun
    const taken = eachBlock(tokens).length === 1 && partsOf(tokens) ? this.#given.take(tokens, this.#tail) : null
    this.#tail = taken?.rest ?? this.#tail
    const left = this.#parser.parse(this.#tail, this.#env)
    this.#given.suit(left)
    if (!taken || this.#given.goesOn(left[0], 0)) return { parts: taken?.parts, isFirst, tail: left }
    this.#takeBack() // by itself the last part is something else
    return { tail: this.#parser.parse(this.#tail, this.#env) }
  }

  /** What the line that is being written does not change. */
  #wholeLines() {
    return this.#parser.parse(this.#tail.slice(0, this.#tail.lastIndexOf("\n") + 1), { ...this.#env, arriving: false })
  }

  /** As the parser reads it. @param {string} text */
  #withOneKindOfLine(text) {
    const all = this.#held + text
    this.#held = all.endsWith("\r") ? "\r" : ""
    return all.slice(0, all.length - this.#held.length).replace(/\r\n?/g, "\n").replaceAll("\0", "\ufffd")
  }

  /** Where what can still change begins: the last block, or behind it where that is a fence which a line has closed. @param {Token[]} tokens */
  #lastBlock(tokens) {
    const { index, line } = lastSure(tokens, this.#tail)
    const token = tokens[index]
    this.#fence = null
    if (token?.type !== "fence" || !token.map) return { index, line }
    const text = this.#tail.slice(startOfLine(this.#tail, line))
    const begin = text.indexOf("\n") + 1
    if (!begin || !text.startsWith(token.markup)) return { index, line } // its first line goes on, or all is indented
    const fence = new OpenFence(token.markup)
    const code = fence.take(text.slice(begin))
    if (fence.isOver) return { index: index + 1, line: token.map[1] }
    this.#fence = fence
    token.content = code
    return { index, line }
  }
}

/**
 * Where the last top-level block begins, or the one above it while the last could still turn out to be no block but more of that one.
 * @param {Token[]} tokens @param {string} text what they were parsed from
 */
function lastSure(tokens, text) {
  const last = lastBlock(tokens)
  const above = lastBlock(tokens.slice(0, last.index))
  return isSure(tokens[last.index], text, tokens[above.index]?.tag ?? "") ? last : above
}

/** Where the last top-level block begins, in tokens and in lines. @param {Token[]} tokens */
function lastBlock(tokens) {
  for (let index = tokens.length - 1; index >= 0; index--) {
    const token = tokens[index]
    if (token?.level === 0 && token.nesting !== -1 && token.map) return { index, line: token.map[0] }
  }
  return { index: 0, line: 0 }
}

/**
 * Does a block begin here whatever comes? Its first line says so once it has ended ("#" may become "#tag"), for a table the
 * second, for a formula the last. Behind an empty line nothing goes on but a list.
 * @param {Token | undefined} token @param {string} text @param {string} above the tag of the block above it
 */
function isSure(token, text, above) {
  const lines = text.split("\n")
  const [begin, end] = token?.map ?? [0, 0]
  const said = token?.type === "formula_block" ? end + 1 : begin + (token?.type === "table_open" ? 2 : 1)
  if (said < lines.length) return true
  return !lines[begin - 1]?.trim() && !(["ul", "ol"].includes(above) && NO_ITEM_YET.test(lines[begin] ?? ""))
}

/** @param {string} text @param {number} line */
function startOfLine(text, line) {
  let at = 0
  for (let n = 0; n < line; n++) at = text.indexOf("\n", at) + 1
  return at
}
