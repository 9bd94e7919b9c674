// @ts-check
/** What app/markdown has drawn as lines that can be said, without Markdown's signs, and how a line falls into sentences. */

/**
 * @typedef {object} Words what stands in the place of what cannot be said
 * @property {(code: Element) => string} code
 * @property {(tex: string) => string} formula
 * @property {(text: string) => string} [literal] is given all text that is not marked as code
 */

const BLOCKS = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6", "BLOCKQUOTE", "DIV", "UL", "OL", "LI", "TABLE", "THEAD", "TBODY", "TR"])
const UNREAD = new Set(["BUTTON", "FIGCAPTION", "HR", "SVG"])
const CITATION = "citation"
const ENDS = /(?<=[.!?…]["'”’)\]]*\s)|(?<=[。！？][」』”’）]*)(?![」』”’）])/u
/** Made with the first answer that is read out: it takes as long as a whole page to draw. @type {Intl.Segmenter | null | undefined} */
let segmenter

/** Each block, item and row is a line. @param {Iterable<Node>} nodes @param {Words} words @returns {string[]} */
export function linesOf(nodes, words) {
  const reading = new Reading(words)
  for (const node of nodes) reading.walk(node)
  reading.endLine()
  return reading.lines
}

class Reading {
  /** @type {string[]} */
  lines = []
  #line = ""
  #words

  /** @param {Words} words */
  constructor(words) {
    this.#words = words
  }

  /** @param {Node} node */
  walk(node, isCode = false) {
    const element = node.nodeType === 1 ? /** @type {Element} */ (node) : null
    if (!element) this.#line += node.nodeType === 3 ? this.#textOf(node.nodeValue ?? "", isCode) : ""
    else if (element.tagName === "PRE") {
      this.endLine()
      this.lines.push(this.#words.code(element))
    } else if (!UNREAD.has(element.tagName.toUpperCase())) this.#read(element, isCode)
  }

  endLine() {
    const text = this.#line.replace(/\p{Extended_Pictographic}\uFE0F?/gu, "").replace(/\s+/g, " ").trim()
    if (isSayable(text)) this.lines.push(text)
    this.#line = ""
  }

  /** @param {string} text @param {boolean} isCode */
  #textOf(text, isCode) {
    return this.#words.literal && !isCode ? this.#words.literal(text) : text
  }

  /** @param {Element} element @param {boolean} isCode */
  #read(element, isCode) {
    const tex = element.getAttribute("data-tex")
    if (tex !== null) this.#line += this.#words.formula(tex)
    else if (element.getAttribute("class") === CITATION) this.#line = this.#line.trimEnd() // a number says nothing to whoever listens
    else if (element.tagName === "BR") this.#line += " "
    else if (element.tagName === "IMG") this.#line += element.getAttribute("alt") ?? ""
    else this.#inside(element, isCode || element.tagName === "CODE")
  }

  /** @param {Element} element @param {boolean} isCode */
  #inside(element, isCode) {
    const isBlock = BLOCKS.has(element.tagName)
    if (isBlock) this.endLine()
    for (const child of element.childNodes) this.walk(child, isCode)
    if (element.tagName === "TR") this.#line = this.#line.replace(/,\s*$/, "")
    if (isBlock) this.endLine()
    else if (/^T[DH]$/.test(element.tagName)) this.#line += ", "
  }
}

/** Joined they are the line. @param {string} line @returns {string[]} */
export function sentencesOf(line) {
  segmenter ??= "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "sentence" }) : null
  return segmenter ? [...segmenter.segment(line)].map(({ segment }) => segment) : line.split(ENDS)
}

/** Is there anything in it that a voice says? @param {string} text */
export function isSayable(text) {
  return /[\p{L}\p{N}]/u.test(text)
}
