// @ts-check
/** Code of an answer in its frame: its language, its buttons, its colours. */
import { t } from "app/i18n.js"
import { isInUse } from "app/in-use.js"
import { sanitize } from "app/markdown.js"
import { LONGEST, SHORT, colour } from "app/markdown/colours.js"
import { noteComing } from "app/markdown/turns.js"
import { followChoice } from "app/markdown/wrapping.js"
import { fill, fromTemplate, must } from "app/ui.js"

/** What is drawn when its reader asks for it, by the code's language. @type {Record<string, string | undefined>} */
const DRAWN = Object.assign(Object.create(null), { svg: "drawing", mermaid: "diagram" })
/** Diagrams that the Mermaid which is shipped knows nothing of (decision 55). */
const NOT_DRAWN = /^(?:mindmap|architecture|flowchart-elk)\b/
const OPENING = 5_000 // characters of a diagram in which its kind is looked for
const PAUSE = 200 // milliseconds until it is seen again whether the reader has left

/** While it `grows` it is replaced at each frame: long code gets its colours once, at the end. @param {HTMLPreElement} pre @param {boolean} grows */
export function dressCode(pre, grows) {
  const figure = framed(pre)
  const text = pre.textContent ?? ""
  if (!grows) offerWhatFits(figure, text)
  if (!grows || text.length <= SHORT) colourWhole(pre, text)
}

/** In its frame. @param {HTMLPreElement} pre @returns {HTMLElement} */
export function framed(pre) {
  const figure = fromTemplate("code-template", { language: pre.dataset.language || t("js.code") })
  followChoice(figure)
  pre.replaceWith(figure)
  pre.tabIndex = 0
  figure.append(pre)
  return figure
}

/** What can be done with it once it is whole. @param {HTMLElement} figure @param {string} text */
export function offerWhatFits(figure, text) {
  const kind = DRAWN[(must(figure, "pre").dataset.language ?? "").toLowerCase()]
  if (!kind) return
  if (kind === "diagram" && !isKnown(text)) fill(figure, { note: t("js.not_drawn") })
  else offerDrawing(must(figure, "[data-show]"), kind)
}

/** Its whole text with its colours, or as it is where it gets none; not while its reader has marked some of it. @param {HTMLPreElement} pre @param {string} text */
export function colourWhole(pre, text) {
  const code = must(pre, "code")
  const name = pre.dataset.language
  const isPlain = () => code.childNodes.length === 1 && code.firstChild?.nodeValue === text
  const plain = () => isPlain() || onceUnused(code, () => code.replaceChildren(text))
  if (!name || text.length > LONGEST) return plain()
  const show = (/** @type {string} */ html) => onceUnused(code, () => code.replaceChildren(sanitize(html)))
  noteComing(colour(text, name, { isWanted: () => isKept(code), show, otherwise: plain }))
}

/** @param {HTMLElement} code @param {() => void} draw */
function onceUnused(code, draw) {
  if (!isInUse([code])) draw()
  else if (isKept(code)) setTimeout(() => onceUnused(code, draw), PAUSE)
}

/** A diagram's kind is its first word, behind its front matter, directives and comments. @param {string} diagram */
function isKnown(diagram) {
  const begun = diagram.slice(0, OPENING).replace(/^\s*---[ \t]*\n[^]*?\n[ \t]*---[ \t]*\n/, "")
  return !NOT_DRAWN.test(begun.replace(/%%\{[^]*?\}%%/g, "").replace(/^[ \t]*%%.*$/gm, "").trimStart())
}

/** @param {HTMLElement} button @param {string} kind */
function offerDrawing(button, kind) {
  button.dataset.show = kind
  button.hidden = false
  fill(button, { show: t("js.show_drawing") })
}

/** Has it not been drawn anew since? A version that is not shown just now is kept as well. @param {Element} element */
export function isKept(element) {
  return element.closest(".prose") !== null
}
