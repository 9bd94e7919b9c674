// @ts-check
/** An answer's text as it is read, without Markdown's signs, from what app/markdown has drawn; and how a part of it is quoted. */

const LINES = new Set(["UL", "OL", "LI", "TABLE", "THEAD", "TBODY", "TR", "PRE"])
const BLOCKS = new Set([...LINES, "P", "H3", "H4", "H5", "H6", "BLOCKQUOTE", "FIGURE", "DIV", "HR"])
const UNREAD = new Set(["BUTTON", "FIGCAPTION"])
const BREAK = "\u2028" // a line break that is meant, while white space is put together

/** Blocks stand apart by an empty line, formulas are their TeX. @param {Node} node an element or a fragment */
export function plainText(node) {
  return blocksOf(node).join("\n\n")
}

/** @param {string} text as a quotation in Markdown, with the line after it */
export function asQuote(text) {
  const lines = text.trim().replace(/\n{3,}/g, "\n\n").split("\n")
  return `${lines.map((line) => `> ${line}`.trimEnd()).join("\n")}\n\n`
}

/** @param {Node} node @returns {string[]} */
function blocksOf(node) {
  /** @type {string[]} */
  const blocks = []
  let line = ""
  const end = () => {
    const text = line.replace(/\s+/g, (space) => (space.includes(BREAK) ? "\n" : " ")).trim()
    if (text) blocks.push(text)
    line = ""
  }
  for (const child of node.childNodes) {
    const element = asElement(child)
    if (!element || !BLOCKS.has(element.tagName)) line += inline(child)
    else {
      end()
      blocks.push(...block(element))
    }
  }
  end()
  return together(node, blocks)
}

/** Items and rows that are chosen without their list or table stay lines of one block. @param {Node} node @param {string[]} blocks */
function together(node, blocks) {
  const elements = [...node.childNodes].map(asElement).filter((element) => element !== null)
  const rows = elements.length > 1 && elements.every(({ tagName }) => tagName === "LI" || tagName === "TR")
  return rows ? [blocks.join("\n")] : blocks
}

/** @param {Element} element @returns {string[]} */
function block(element) {
  switch (element.tagName) {
    case "PRE":
      return [(element.textContent ?? "").replace(/\n$/, "")]
    case "UL":
    case "OL":
      return [itemsOf(element)]
    case "LI":
      return [item(element, "•")]
    case "TR":
      return [[...element.childNodes].map((cell) => plainText(cell)).filter(Boolean).join("\t")]
    case "TABLE":
    case "THEAD":
    case "TBODY":
      return [blocksOf(element).join("\n")]
    case "BLOCKQUOTE":
      return [asQuote(plainText(element)).trimEnd()]
    case "HR":
      return ["———"]
    default:
      return blocksOf(element)
  }
}

/** @param {Element} list */
function itemsOf(list) {
  const first = Number(list.getAttribute("start") ?? 1)
  const items = [...list.childNodes].map(asElement).filter((element) => element?.tagName === "LI")
  return items.map((each, index) => item(/** @type {Element} */ (each), list.tagName === "OL" ? `${first + index}.` : "•")).join("\n")
}

/** Its further lines stand under its first one. @param {Element} element @param {string} sign */
function item(element, sign) {
  return `${sign} ${blocksOf(element).join("\n").replaceAll("\n", "\n  ")}`
}

/** @param {Node} node @returns {string} */
function inline(node) {
  const element = asElement(node)
  if (!element) return node.nodeType === 3 ? (node.nodeValue ?? "") : ""
  if (element.tagName === "BR") return BREAK
  if (element.tagName === "IMG") return element.getAttribute("alt") ?? ""
  if (UNREAD.has(element.tagName)) return ""
  const tex = element.getAttribute("data-tex")
  if (tex !== null) return element.hasAttribute("data-display") ? `$$${tex}$$` : `$${tex}$`
  return [...element.childNodes].map(inline).join("")
}

/** @param {Node} node @returns {Element | null} */
function asElement(node) {
  return node.nodeType === 1 ? /** @type {Element} */ (node) : null
}
