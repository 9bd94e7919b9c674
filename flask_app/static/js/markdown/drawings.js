// @ts-check
/**
 * A drawing (SVG) as a page for a frame without scripts. There it is the source of an image: browsers run nothing in one, and load
 * nothing for it.
 */

const LONGEST = 500_000 // characters
const MOST = 50_000 // elements, with all that is drawn again where it is referred to
const REFERENCE = /url\(\s*["']?#([^"')\s]+)|^#(\S+)$/g
const USUAL = { width: 300, height: 150 } // pixels, as browsers have it

/** @param {string} text @returns {{page: string, width: number, height: number}} Raises where there is no drawing, or one that would never be done. */
export function drawingPage(text) {
  const svg = new DOMParser().parseFromString(text.slice(0, LONGEST), "text/html").querySelector("svg")
  if (!svg || text.length > LONGEST || weightOf(svg) > MOST) throw new Error("no drawing")
  const { width, height } = sizeOf(svg)
  for (const name of ["width", "height"]) svg.removeAttribute(name)
  if (!svg.hasAttribute("viewBox")) svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  const source = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`
  const nonce = /** @type {HTMLElement | null} */ (document.querySelector("script[nonce]"))?.nonce ?? ""
  return {
    page: `<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'nonce-${nonce}'">
<style nonce="${nonce}">html, body { block-size: 100%; margin: 0 } img { display: block; inline-size: 100%; block-size: 100% }</style>
<img alt="" src="${source.replaceAll('"', "%22")}">`,
    width,
    height,
  }
}

/** @param {Element} svg */
function sizeOf(svg) {
  const [width, height] = ["width", "height"].map((name) => /^\s*(\d*\.?\d+)(?:px)?\s*$/.exec(svg.getAttribute(name) ?? "")?.[1])
  const [, , ...box] = (svg.getAttribute("viewBox") ?? "").trim().split(/[\s,]+/).map(Number)
  if (Number(width) && Number(height)) return { width: Number(width), height: Number(height) }
  return box[0] && box[1] ? { width: box[0], height: box[1] } : USUAL
}

/**
 * How many elements are drawn: ten that each use ten others, nine times over, are a milliard.
 * @param {Element} element @param {Map<Element, number>} [known] @returns {number}
 */
function weightOf(element, known = new Map()) {
  const before = known.get(element)
  if (before !== undefined) return before
  known.set(element, 0) // what refers to itself is not drawn
  const used = referred(element).map((id) => element.ownerDocument.getElementById(id)).filter((each) => each !== null)
  const weight = [...element.children, ...used].reduce((sum, each) => sum + weightOf(each, known), 1)
  known.set(element, weight)
  return weight
}

/** @param {Element} element */
function referred(element) {
  return [...element.attributes].flatMap(({ value }) => [...value.matchAll(REFERENCE)].map(([, url, href]) => url ?? href ?? ""))
}
