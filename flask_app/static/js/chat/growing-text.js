// @ts-check
/**
 * Markdown that grows in the page: settled blocks are drawn once, the unfinished one again at each frame in which nobody is at it, but
 * for code, which gets what is new, and for long lists and tables, of which the last part is drawn again.
 */
import { isInUse, remember } from "app/in-use.js"
import { fragmentOf, markupOf, parser } from "app/markdown.js"
import { GROUP, GrowingMarkdown, blocksIn, eachBlock } from "app/markdown/blocks.js"
import { awaitsFormulas, enrich } from "app/markdown/enrich.js"
import { GrowingCode } from "app/markdown/growing-code.js"
import { GrowingParts } from "app/markdown/growing-parts.js"
import { must } from "app/ui.js"

/** @typedef {import("markdown-it").Token} Token */
/** @typedef {import("app/markdown/citations.js").Source} Source */
/** @typedef {Record<string, unknown>} Env what they were parsed with */

const SHARE = 3 // after a frame that took 10 ms, rest 30 ms: reading and scrolling stay smooth
const MOST = 32 // blocks in a group

export class GrowingText {
  #element
  #sources
  /** Where blocks are added: the element itself at first, later a group in it. */
  #place
  #growing = new GrowingMarkdown(parser)
  #whole = ""
  #pending = ""
  /** What each settled block was drawn from. @type {string[]} */
  #drawn = []
  /** @type {ChildNode[]} */
  #tail = []
  /** The tail, where it is code that goes on. @type {GrowingCode | null} */
  #code = null
  /** What the tail's first block was drawn from, where another stands behind it. */
  #held = ""
  /** The long list or table whose last part the tail is. @type {GrowingParts | null} */
  #parts = null
  #frame = 0
  #notBefore = 0

  /** @param {HTMLElement} element @param {() => Source[]} [sources] what its citations lead to, asked for with the first piece */
  constructor(element, sources = () => []) {
    this.#element = this.#place = element
    this.#sources = sources
  }

  get #env() {
    return { sources: this.#sources() }
  }

  get text() {
    return this.#whole
  }

  /** @param {string} text */
  push(text) {
    if (!this.#whole) this.#growing = new GrowingMarkdown(parser, this.#env)
    this.#whole += text
    this.#pending += text
    this.#frame ||= requestAnimationFrame((now) => this.#draw(now))
  }

  /** Begins anew, as when a stream is told again from its start. */
  clear() {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    this.#growing = new GrowingMarkdown(parser)
    this.#whole = this.#pending = this.#held = ""
    this.#tail = []
    this.#drawn = []
    this.#code = this.#parts = null
    this.#place = this.#element
    this.#element.replaceChildren()
  }

  /** No more text comes: what was left open is drawn as it stands. */
  end() {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    this.#advance()
    const { tail, env } = this.#growing.end()
    this.#settle(tail, env)
    if (hasReferences(env)) this.#drawDifferent([...this.#drawn, ...eachMarkup(tail, env)])
  }

  /** @param {number} now */
  #draw(now) {
    this.#frame = 0
    if (now < this.#notBefore || isInUse(this.#parts ? [this.#parts.element, ...this.#tail] : this.#tail)) {
      this.#frame = requestAnimationFrame((later) => this.#draw(later))
      return
    }
    const begun = performance.now()
    this.#advance()
    this.#parts?.layOut()
    this.#notBefore = now + SHARE * (performance.now() - begun)
  }

  #advance() {
    if (!this.#pending) return
    const { settled, tail, env, code, parts, isFirst } = this.#growing.push(this.#pending)
    this.#pending = ""
    if (code !== undefined) return this.#code?.append(code)
    if (settled.length) {
      this.#settle(settled, env)
      this.#drawn.push(...eachMarkup(settled, env))
      this.#tail = []
    }
    if (isFirst || !this.#growing.isInParts) this.#dropParts()
    if (parts) this.#settleParts(parts, env)
    this.#grow(tail, env)
  }

  /** The tail as it will stay. Code that has grown is in the page already, and so are parts of a list or table. @param {Token[]} tokens @param {Env} env */
  #settle(tokens, env) {
    if (this.#parts) return this.#settleRest(this.#parts, tokens, env)
    const code = this.#code
    this.#code = null
    if (!code) return this.#drawBlocks(tokens, env)
    const fragment = fragmentOf(tokens, env)
    const pre = fragment.firstElementChild
    if (!(pre instanceof HTMLPreElement)) return this.#replaceTail(enrich(fragment))
    code.end(pre)
    pre.remove()
    this.#tail = this.#tail.filter((node) => node !== code.figure)
    this.#replaceTail(enrich(fragment))
    this.#tail.unshift(code.figure)
  }

  /** @param {GrowingParts} parts @param {Token[]} tokens all that they are of, and what comes behind @param {Env} env */
  #settleRest(parts, tokens, env) {
    const rest = parts.rest(tokens, env)
    if (!rest) this.#dropParts()
    this.#replaceTail(enrich(fragmentOf(rest ?? tokens, env)))
    this.#parts = null
    if (rest) this.#tail = [parts.element, ...this.#tail.filter((node) => !parts.element.contains(node))]
  }

  /** @param {Token[]} parts @param {Env} env */
  #settleParts(parts, env) {
    this.#replaceTail(enrich(fragmentOf(parts, env)))
    this.#parts ??= new GrowingParts(/** @type {HTMLElement} */ (this.#tail[0]))
    this.#parts.note(parts, env)
    this.#tail = []
  }

  /** They are drawn anew with the tail. */
  #dropParts() {
    if (this.#parts) this.#tail = [this.#parts.element, ...this.#tail]
    this.#parts = null
  }

  /** The tail as it stands just now. @param {Token[]} tail @param {Env} env */
  #grow(tail, env) {
    if (!this.#growing.isInCode) return this.#drawBlocks(tail, env, { grows: true })
    const fragment = fragmentOf(tail, env)
    this.#code = new GrowingCode(/** @type {HTMLPreElement} */ (must(fragment, "pre")))
    this.#replaceTail(fragment)
  }

  /**
   * In the place of the tail. Where its first block was drawn from the same, with another behind it, that stays.
   * @param {Token[]} tokens @param {Env} env @param {{grows?: boolean}} [options] `grows`: the last block goes on
   */
  #drawBlocks(tokens, env, { grows = false } = {}) {
    const [first = [], ...others] = this.#parts ? [tokens] : eachBlock(tokens)
    const goesOn = grows && !others.length
    const markup = goesOn ? "" : markupOf(first, env)
    const kept = markup && markup === this.#held ? this.#tail.shift() : undefined
    const fragment = kept ? new DocumentFragment() : enrich(fragmentOf(first, env), { grows: goesOn })
    fragment.append(...(kept ? ["\n"] : []), enrich(fragmentOf(others.flat(), env), { grows }))
    this.#replaceTail(fragment)
    if (kept) this.#tail.unshift(kept)
    this.#held = grows ? markup : ""
  }

  /** @param {DocumentFragment} fragment */
  #replaceTail(fragment) {
    const keep = remember(this.#tail)
    for (const node of this.#tail) node.remove()
    const parts = this.#parts?.take(fragment) ?? []
    this.#tail = [...fragment.childNodes]
    for (const node of this.#tail) this.#add(node)
    this.#tail.unshift(...parts)
    keep(this.#tail)
  }

  /** In another group once the one is full; what waits for a formula stands in one with it. @param {ChildNode} node */
  #add(node) {
    if (this.#place.childElementCount >= MOST && !awaitsFormulas()) {
      this.#place = document.createElement("div")
      this.#place.className = GROUP
      this.#element.append(this.#place)
    }
    this.#place.append(node)
  }

  /**
   * Links defined further down change what stands before them: the blocks that are others when the text is read as a whole.
   * @param {string[]} drawn what each block was drawn from
   */
  #drawDifferent(drawn) {
    const env = this.#env
    const blocks = eachBlock(parser.parse(this.#whole, env))
    const standing = blocksIn(this.#element)
    if (standing.length !== blocks.length) return this.#drawAnew()
    standing.forEach((element, at) => {
      const block = blocks[at] ?? []
      const markup = markupOf(block, env)
      if (markup === drawn[at]) return
      if (at < this.#drawn.length) this.#drawn[at] = markup
      this.#replace(element, enrich(fragmentOf(block, env)))
    })
  }

  /** @param {Element} before @param {DocumentFragment} fragment one block */
  #replace(before, fragment) {
    const after = fragment.firstElementChild
    if (!after) return
    const keep = remember([before])
    before.replaceWith(after)
    keep([after])
    this.#tail = this.#tail.map((node) => (node === before ? after : node))
  }

  #drawAnew() {
    const keep = remember([...this.#element.childNodes])
    showText(this.#element, this.#whole, this.#sources())
    const drawn = [...this.#element.childNodes]
    keep(drawn)
    this.#place = this.#element
    this.#tail = drawn.slice(drawn.findLastIndex(({ nodeType }) => nodeType === Node.ELEMENT_NODE))
  }
}

/** A finished text at once. @param {HTMLElement} element @param {string} text @param {Source[]} [sources] what its citations lead to */
export function showText(element, text, sources = []) {
  const env = { sources }
  element.replaceChildren(enrich(fragmentOf(parser.parse(text, env), env)))
}

/** @param {Env} env */
function hasReferences(env) {
  return Object.keys(env.references ?? {}).length > 0
}

/** @param {Token[]} tokens @param {Env} env */
function eachMarkup(tokens, env) {
  return eachBlock(tokens).map((block) => markupOf(block, env))
}
