// @ts-check
/**
 * Formulas as elements. KaTeX gives some signs, such as the arrow of \vec, their width by a style attribute, which the page's policy
 * refuses: they get it by script, as KaTeX does for all others. Its tree is its own affair: another
 * version may have another one, which the tests of formulas would show. Loaded with the first formula.
 */

/** @typedef {{attributes?: Record<string, string>, children?: Part[], toNode: () => Element}} Part of KaTeX's own tree */

/** @param {typeof import("katex").default} katex @param {string} tex @param {object} options of KaTeX @returns {Element} Throws where it is no TeX that KaTeX knows. */
export function formulaOf(katex, tex, options) {
  const tree = /** @type {Part} */ (/** @type {any} */ (katex).__renderToDomTree(tex, options))
  styleByScript(tree)
  return tree.toNode()
}

/** @param {Part} part */
function styleByScript(part) {
  part.children?.forEach(styleByScript)
  const style = part.attributes?.style
  if (!part.attributes || !style) return
  delete part.attributes.style
  const toNode = part.toNode.bind(part)
  part.toNode = () => {
    const node = /** @type {SVGElement} */ (toNode())
    node.style.cssText = style
    return node
  }
}
