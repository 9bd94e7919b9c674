// @ts-check
/**
 * A model's Markdown as page content. Everything a model wrote reaches the document through `sanitize` in this file:
 * raw HTML is plain text already to the parser, and what the parser makes passes DOMPurify's short list.
 */
import DOMPurify from "dompurify"
import MarkdownIt from "markdown-it"
import { lineBreaks } from "app/markdown/breaks.js"
import { citations } from "app/markdown/citations.js"
import { breakCjkEmphasis } from "app/markdown/emphasis.js"
import { formulas } from "app/markdown/formulas.js"
import { bareLinks } from "app/markdown/links.js"
import { keepDeepText } from "app/markdown/nesting.js"
import { plainRenderers } from "app/markdown/renderers.js"
import { fewEmptyCells } from "app/markdown/tables.js"
import { unfinished } from "app/markdown/unfinished.js"

const TAGS = ["p", "br", "hr", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img",
  "table", "thead", "tbody", "tr", "th", "td", "span", "div"]
const ATTRIBUTES = ["href", "title", "class", "start", "src", "alt", "data-tex", "data-display", "data-language", "data-source", "data-alt"]
const NO_ADDRESSES = ["data-tex", "data-display", "data-language", "data-alt", "start"]
const OPTIONS = /** @type {const} */ ({
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: NO_ADDRESSES,
  RETURN_DOM_FRAGMENT: true,
})
const FROM_THE_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
const PICTURE = /^data:image\/(?:png|gif|jpeg|webp);base64,/i

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(bareLinks).use(lineBreaks).use(breakCjkEmphasis).use(formulas).use(keepDeepText).use(plainRenderers).use(fewEmptyCells)
parser.use(unfinished).use(citations)

DOMPurify.addHook("afterSanitizeAttributes", (element) => {
  if (element.tagName === "A") guardLink(element)
  if (element.tagName === "IMG" && !PICTURE.test(element.getAttribute("src") ?? "")) element.remove()
})

export { parser }

/** What `fragmentOf` has of them, not sanitised yet. @param {import("markdown-it").Token[]} tokens @param {Record<string, unknown>} env */
export function markupOf(tokens, env) {
  return parser.renderer.render(tokens, parser.options, env)
}

/**
 * @param {import("markdown-it").Token[]} tokens of `parser`
 * @param {Record<string, unknown>} env the one they were parsed with
 * @returns {DocumentFragment}
 */
export function fragmentOf(tokens, env) {
  return directed(sanitize(markupOf(tokens, env)))
}

/**
 * Each block goes as its first letter does, Arabic and Hebrew from right to left. Code and formulas never do, and are no letters
 * of the text around them. `dir` is none of the sanitizer's ATTRIBUTES: nothing that was written sets it.
 * @param {DocumentFragment} fragment
 */
function directed(fragment) {
  for (const block of fragment.children) {
    block.setAttribute("dir", "auto")
    block.classList.toggle("both-ways", goesBothWays(block.textContent ?? ""))
  }
  for (const part of fragment.querySelectorAll("pre, code, .formula")) part.setAttribute("dir", "ltr")
  return fragment
}

/** @param {string} html @returns {DocumentFragment} */
export function sanitize(html) {
  return DOMPurify.sanitize(html, OPTIONS)
}

/** Are there letters in it that go from right to left? To let each line go its own way takes long where a line is long. @param {string} text */
export function goesBothWays(text) {
  return FROM_THE_RIGHT.test(text)
}

/** One that leads nowhere would open this page once more. @param {Element} link */
function guardLink(link) {
  if (!link.getAttribute("href")) return link.removeAttribute("href")
  link.setAttribute("target", "_blank")
  link.setAttribute("rel", "noopener noreferrer nofollow")
}
