// @ts-check
/**
 * A growing Markdown text in two parts: blocks that more text cannot change any more, and the unfinished tail.
 * Only the last top-level block can still change, so everything before it is settled and rendered once.
 */

/** @typedef {import("markdown-it").Token} Token */
/** @typedef {{settled: Token[], tail: Token[], env: Record<string, unknown>}} Step */

/** Blocks of a long answer stand in groups, by this class: whoever lays the page out need not look at each of them again. */
export const GROUP = "prose__group"

/** The blocks that are drawn in `prose`, in groups or not. @param {Node} prose @returns {Element[]} */
export function blocksIn(prose) {
  const elements = /** @type {Element[]} */ ([...prose.childNodes].filter(({ nodeType }) => nodeType === 1))
  return elements.flatMap((each) => (each.getAttribute("class") === GROUP ? blocksIn(each) : each))
}

export class GrowingMarkdown {
  #parser
  #tail = ""
  /** Reference links defined in settled blocks stay known. @type {Record<string, unknown>} */
  #env = { arriving: true }

  /** @param {import("markdown-it").MarkdownIt} parser */
  constructor(parser) {
    this.#parser = parser
  }

  /** How much is parsed again with the next piece, in characters. */
  get tailLength() {
    return this.#tail.length
  }

  /** @param {string} text what has been added @returns {Step} */
  push(text) {
    this.#tail += text
    const { topHeading } = this.#env
    const tokens = this.#parser.parse(this.#tail, this.#env)
    const { index, line } = lastBlock(tokens)
    const settled = tokens.slice(0, index)
    if (!settled.some(({ type }) => type === "heading_open")) this.#env.topHeading = topHeading // "#" may become "##"
    this.#tail = this.#tail.slice(startOfLine(this.#tail, line))
    return { settled, tail: tokens.slice(index), env: this.#env }
  }

  /** The tail as it stands once no more text comes. @returns {{tail: Token[], env: Record<string, unknown>}} */
  end() {
    const env = { ...this.#env, arriving: false }
    return { tail: this.#parser.parse(this.#tail, env), env }
  }
}

/** Where the last top-level block begins, in tokens and in lines. @param {Token[]} tokens */
function lastBlock(tokens) {
  for (let index = tokens.length - 1; index >= 0; index--) {
    const token = tokens[index]
    if (token?.level === 0 && token.nesting !== -1 && token.map) return { index, line: token.map[0] }
  }
  return { index: 0, line: 0 }
}

/** @param {string} text @param {number} line */
function startOfLine(text, line) {
  let at = 0
  for (let n = 0; n < line; n++) at = text.indexOf("\n", at) + 1
  return at
}
