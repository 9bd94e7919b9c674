// @ts-check
/** What a sanitised answer gets beside its text: coloured code with a copy button, formulas, tables that scroll. */
import { t } from "app/i18n.js"
import { dressCode, isKept } from "app/markdown/code.js"
import { library } from "app/markdown/colours.js"
import { GROUP } from "app/markdown/blocks.js"
import { inTurn, noteComing } from "app/markdown/turns.js"
import { fill, fromTemplate, must, slot } from "app/ui.js"

/** No links, no addresses, no huge boxes, no endless macros. Unknown commands keep the text's own colour. */
const FORMULA_LIMITS = /** @type {const} */ ({ trust: false, strict: "ignore", maxSize: 6, maxExpand: 500, errorColor: "currentcolor" })
const LONG = 120 // pixels; narrower than a line on the narrowest phone, deep in a list
const PATIENCE = 1_500 // milliseconds in which what follows a page's first formula waits for it
const COMING = "formulas-coming"
const katex = library(loadKatex)
let isAwaited = false

/** Parts of formulas that no line breaks: seen before they are painted, those in closed thoughts once these are opened. */
const parts = new ResizeObserver((seen) => {
  for (const { target, contentRect } of seen) {
    parts.unobserve(target)
    const formula = contentRect.width > LONG && target.closest(".formula")
    if (formula instanceof HTMLElement) letScroll(formula, "formula--long")
  }
})

/** On paper nothing scrolls: print.css needs to know how wide the widest part of a formula is, in its own letters. */
addEventListener("beforeprint", () => {
  for (const formula of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-tex]"))) {
    const widths = [...formula.querySelectorAll(".katex-base")].map((part) => part.getBoundingClientRect().width)
    formula.style.setProperty("--widest", String(Math.max(1, ...widths) / Number.parseFloat(getComputedStyle(formula).fontSize)))
  }
})

/**
 * While the fragment `grows` it is replaced at each frame: long code gets its colours once, at the end.
 * @param {DocumentFragment} fragment @param {{grows?: boolean}} [options]
 */
export function enrich(fragment, { grows = false } = {}) {
  for (const table of fragment.querySelectorAll("table")) scrollable(table)
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (fragment.querySelectorAll("a.citation"))) nameCitation(link)
  for (const place of fragment.querySelectorAll(".picture-elsewhere")) offerPicture(/** @type {HTMLElement} */ (place))
  for (const pre of fragment.querySelectorAll("pre")) dressCode(pre, grows)
  for (const place of fragment.querySelectorAll(".formula")) noteComing(setFormula(/** @type {HTMLElement} */ (place)))
  return fragment
}

/** What "[1]" leads to, for whoever does not see it: the title is seen by those who point at it. A title like markup has been taken away. @param {HTMLAnchorElement} link */
function nameCitation(link) {
  link.ariaLabel = t("js.web_source", { number: link.textContent ?? "", title: link.title || link.host })
}

/** @param {HTMLTableElement} table */
function scrollable(table) {
  const box = document.createElement("div")
  box.className = "table-scroll"
  box.tabIndex = 0
  box.role = "region"
  box.ariaLabel = t("js.table")
  if (table.dir) box.dir = table.dir // the box begins where the table does, and goes by its letters: they must have no dir of their own
  table.removeAttribute("dir")
  table.replaceWith(box)
  box.append(table)
}

/**
 * A picture elsewhere would tell its host who reads: it is fetched when its reader asks, and nothing but https is. A link's own
 * words stay in it, for a button cannot.
 * @param {HTMLElement} place
 */
function offerPicture(place) {
  const { source = "", alt = "" } = place.dataset
  if (!URL.canParse(source)) return
  const { host, protocol } = new URL(source)
  const words = alt || t("js.picture")
  const picture = fromTemplate("picture-template", { alt: words, host, show: t("js.show_picture") })
  const link = /** @type {HTMLAnchorElement} */ (slot(picture, "host"))
  link.href = source
  link.title = t("js.picture_open", { host })
  const button = must(picture, "[data-show]")
  if (protocol === "https:") button.title = t("js.show_picture_hint", { host })
  else button.remove()
  const around = place.closest("a")
  place.replaceWith(around ? words : picture)
  around?.after(picture)
}

/** @param {HTMLElement} place */
async function setFormula(place) {
  if ("display" in place.dataset) awaitFirst(place)
  const formulaOf = await katex()
  await inTurn(() => {
    if (isKept(place)) typeset(place, formulaOf)
    document.documentElement.classList.remove(COMING)
  })
}

/**
 * A formula is higher than its source: in an answer that is being written, what follows it is shown with it. A mark says
 * where: for `:has()` the browser would look through all of a deeply nested answer, at each of its changes.
 * @param {HTMLElement} place
 */
function awaitFirst(place) {
  const { classList } = document.documentElement
  if (!isAwaited) {
    isAwaited = true
    classList.add(COMING)
    setTimeout(() => classList.remove(COMING), PATIENCE)
  }
  if (!classList.contains(COMING)) return
  let block = /** @type {Element} */ (place) // of the answer, which may not be in the page yet
  while (block.parentElement && !block.parentElement.matches(`.prose, .${GROUP}`)) block = block.parentElement
  block.classList.add("awaits-formula")
}

/** Does what follows a formula wait for it? */
export const awaitsFormulas = () => document.documentElement.classList.contains(COMING)

/** @param {HTMLElement} place @param {(tex: string, options: object) => Element} formulaOf */
function typeset(place, formulaOf) {
  const rendered = document.createElement("span")
  const displayMode = "display" in place.dataset
  try {
    rendered.append(formulaOf(place.dataset.tex ?? "", { ...FORMULA_LIMITS, displayMode }))
    place.replaceChildren(rendered)
    if (displayMode) letScroll(place, "formula--display")
    else for (const part of rendered.querySelectorAll(".katex-base")) parts.observe(part)
  } catch {
    place.classList.add("formula--source") // not TeX that KaTeX knows: the source itself is readable
  }
}

/** Sideways, by keyboard too, where it is longer than its line. @param {HTMLElement} formula @param {string} kind */
function letScroll(formula, kind) {
  formula.classList.add(kind)
  formula.tabIndex = 0
}

async function loadKatex() {
  const setting = import("app/markdown/setting.js")
  const [module, { formulaOf }] = await Promise.all([import("katex"), setting, formulaSheet(), import("app/markdown/copying.js")])
  return (/** @type {string} */ tex, /** @type {object} */ options) => formulaOf(module.default, tex, options)
}

function formulaSheet() {
  const href = /** @type {HTMLElement | null} */ (document.querySelector("[data-formula-sheet]"))?.dataset.formulaSheet
  if (!href) return undefined
  const link = document.createElement("link")
  link.rel = "stylesheet"
  link.href = href
  return new Promise((resolve, reject) => {
    link.onload = resolve
    link.onerror = () => {
      link.remove()
      reject(new Error("no style sheet for formulas"))
    }
    document.head.append(link)
  })
}

/** The words of a copy button change for a moment. @param {HTMLElement} button @param {boolean} copied */
export function showCopied(button, copied) {
  const words = slot(button, "copy")
  fill(button, { copy: t(copied ? "js.copied" : "js.copy_failed") })
  setTimeout(() => (words.textContent = t("js.copy")), 2000)
}
