// @ts-check
/** What a sanitised answer gets beside its text: coloured code with a copy button, formulas, tables that scroll. */
import { t } from "app/i18n"
import { sanitize } from "app/markdown"
import { fill, fromTemplate, slot } from "app/ui"

const LONGEST_COLOURED = 40_000 // characters; beyond that colouring would be felt
const REST = 200 // milliseconds in which a slow phone brings the text to the screen
/** No links, no addresses, no huge boxes, no endless macros. Unknown commands keep the text's own colour. */
const FORMULA_LIMITS = /** @type {const} */ ({ trust: false, strict: "ignore", maxSize: 6, maxExpand: 500, errorColor: "currentcolor" })
/** @type {Promise<typeof import("katex").default> | null} */
let katex = null
/** @type {Promise<typeof import("highlight.js").default> | null} */
let highlighter = null

/** @param {DocumentFragment} fragment */
export function enrich(fragment) {
  for (const table of fragment.querySelectorAll("table")) scrollable(table)
  for (const place of fragment.querySelectorAll(".picture-elsewhere")) offerPicture(/** @type {HTMLElement} */ (place))
  for (const pre of fragment.querySelectorAll("pre")) dressCode(pre)
  for (const place of fragment.querySelectorAll(".formula")) setFormula(/** @type {HTMLElement} */ (place))
  return fragment
}

/** @param {HTMLTableElement} table */
function scrollable(table) {
  const box = document.createElement("div")
  box.className = "table-scroll"
  box.tabIndex = 0
  box.role = "region"
  box.ariaLabel = t("js.table")
  table.replaceWith(box)
  box.append(table)
}

/** A foreign picture would tell its host who reads; it opens in its own tab, when asked. @param {HTMLElement} place */
function offerPicture(place) {
  const { source = "", alt = "" } = place.dataset
  if (!URL.canParse(source)) return
  const host = new URL(source).host
  const link = /** @type {HTMLAnchorElement} */ (fromTemplate("picture-template", { alt: alt || t("js.picture"), host }))
  link.href = source
  link.title = t("js.picture_open", { host })
  place.replaceWith(link)
}

/** @param {HTMLPreElement} pre */
function dressCode(pre) {
  const name = pre.dataset.language ?? ""
  const figure = fromTemplate("code-template", { language: name || t("js.code") })
  pre.replaceWith(figure)
  pre.tabIndex = 0
  figure.append(pre)
  const code = pre.querySelector("code")
  if (name && code && (code.textContent?.length ?? 0) < LONGEST_COLOURED) colour(code, name)
}

/** @param {HTMLElement} code @param {string} language */
async function colour(code, language) {
  highlighter ??= painted().then(() => import("highlight.js")).then((module) => module.default)
  const hljs = await highlighter
  if (!hljs.getLanguage(language)) return
  const { value } = hljs.highlight(code.textContent ?? "", { language, ignoreIllegals: true })
  code.replaceChildren(sanitize(value))
}

/** @param {HTMLElement} place */
async function setFormula(place) {
  katex ??= painted().then(loadKatex)
  const tex = place.dataset.tex ?? ""
  try {
    const { render } = await katex
    const rendered = document.createElement("span")
    const displayMode = "display" in place.dataset
    render(tex, rendered, { ...FORMULA_LIMITS, displayMode })
    place.classList.toggle("formula--display", displayMode)
    if (displayMode) place.tabIndex = 0 // a long one scrolls sideways, by keyboard too
    place.replaceChildren(rendered)
  } catch {
    place.classList.add("formula--source") // not TeX that KaTeX knows: the source itself is readable
  }
}

/** The text is seen before the large libraries take the line and the processor: the frame after the next begins once it is. */
function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, REST))))
}

async function loadKatex() {
  const [module] = await Promise.all([import("katex"), formulaSheet()])
  return module.default
}

function formulaSheet() {
  const href = /** @type {HTMLElement | null} */ (document.querySelector("[data-formula-sheet]"))?.dataset.formulaSheet
  if (!href) return undefined
  const link = document.createElement("link")
  link.rel = "stylesheet"
  link.href = href
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve
    document.head.append(link)
  })
}

/** The words of a copy button change for a moment. @param {HTMLElement} button @param {boolean} copied */
export function showCopied(button, copied) {
  const words = slot(button, "copy")
  fill(button, { copy: t(copied ? "js.copied" : "js.copy_failed") })
  setTimeout(() => (words.textContent = t("js.copy")), 2000)
}
