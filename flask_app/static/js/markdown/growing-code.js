// @ts-check
/**
 * Code that is being written: what comes is added as text to what stands there. Long code stands in parts of whole lines, so that the
 * browser lays out the last of them alone; its colours come anew when it has grown by half, in the parts that they change.
 */
import { isInUse } from "app/in-use.js"
import { sanitize } from "app/markdown.js"
import { colourWhole, framed, isKept, offerWhatFits } from "app/markdown/code.js"
import { LONGEST, SHORT, colour } from "app/markdown/colours.js"
import { piecesOf } from "app/markdown/pieces.js"
import { must } from "app/ui.js"

const PART = 4_000 // characters
const GROWTH = 1.5

export class GrowingCode {
  figure
  #pre
  #code
  #text = ""
  /** Where text is added: the code itself at first, its last part later. @type {HTMLElement} */
  #last
  #size = 0
  /** How much of the text has been given to the highlighter. */
  #asked = 0
  /** The parts that have colours, as HTML. @type {string[]} */
  #coloured = []
  #isWhole = false

  /** @param {HTMLPreElement} pre */
  constructor(pre) {
    this.figure = framed(pre)
    this.#pre = pre
    this.#code = this.#last = must(pre, "code")
    const text = pre.textContent ?? ""
    this.#code.replaceChildren()
    this.append(text)
  }

  /** @param {string} text */
  append(text) {
    if (!text) return
    this.#text += text
    this.#add(text)
    this.#colour()
  }

  /** That was all: as `pre` has it, which is drawn of the whole. @param {HTMLPreElement} pre */
  end(pre) {
    const text = pre.textContent ?? ""
    this.#isWhole = true
    this.#add(text.slice(this.#text.length))
    for (const { name, value } of pre.attributes) this.#pre.setAttribute(name, value)
    offerWhatFits(this.figure, text)
    colourWhole(this.#pre, text)
  }

  /** @param {string} text */
  #add(text) {
    for (let at = 0; at < text.length; ) {
      const lineEnd = text.indexOf("\n", at + Math.max(0, PART - this.#size))
      const end = lineEnd < 0 ? text.length : lineEnd + 1
      this.#write(text.slice(at, end))
      this.#size += end - at
      at = end
      if (lineEnd >= 0) this.#beginPart()
    }
  }

  /** @param {string} text */
  #write(text) {
    const { lastChild } = this.#last
    if (lastChild instanceof Text) lastChild.appendData(text)
    else this.#last.append(text)
  }

  #beginPart() {
    this.#last = document.createElement("span")
    this.#last.className = "code__part"
    this.#size = 0
    this.#code.append(this.#last)
  }

  #colour() {
    const { length } = this.#text
    const language = this.#pre.dataset.language
    if (!language || this.#asked * GROWTH > LONGEST) return
    const isLong = length > SHORT
    const upTo = isLong ? this.#text.lastIndexOf("\n") + 1 : length
    if (upTo > LONGEST || upTo < (isLong ? this.#asked * GROWTH : 1)) return
    this.#asked = upTo
    const isWanted = () => !this.#isWhole && this.#asked === upTo && isKept(this.#code)
    colour(this.#text.slice(0, upTo), language, { isWanted, show: (html) => this.#show(html, upTo) })
  }

  /** @param {string} html @param {number} upTo characters of the text that it is of */
  #show(html, upTo) {
    const isLong = this.#text.length > SHORT
    if (isInUse([this.figure]) || (isLong && this.#text[upTo - 1] !== "\n")) this.#asked = 0
    else if (isLong) this.#showParts(piecesOf(html, PART), this.#text.slice(upTo))
    else this.#code.replaceChildren(sanitize(html), ...[this.#text.slice(upTo)].filter(Boolean))
  }

  /** Those that are the same stay. @param {string[]} parts @param {string} rest the text behind them */
  #showParts(parts, rest) {
    const differs = parts.findIndex((part, at) => part !== this.#coloured[at])
    const same = differs < 0 ? parts.length : differs
    for (const node of [...this.#code.childNodes].slice(this.#coloured.length && same)) node.remove()
    for (const part of parts.slice(same)) {
      this.#beginPart()
      this.#last.append(sanitize(part))
    }
    this.#coloured = parts
    this.#beginPart()
    this.#add(rest)
  }
}
