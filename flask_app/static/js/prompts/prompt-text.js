// @ts-check
/** The variables in a prompt: `{{topic}}`, or `{{topic: what stands there at first}}`; domain/prompt_text.py reads the same. */

const VARIABLE = /\{\{([^{}\r\n]*)\}\}/g
const LONGEST = 64 // characters of a name

/** The names in the order they come in, each once, with what stands there at first. @param {string} text @returns {Map<string, string>} */
export function variablesOf(text) {
  /** @type {Map<string, string>} */
  const found = new Map()
  for (const [, inside = ""] of text.matchAll(VARIABLE)) {
    const [name, first] = partsOf(inside)
    if (isName(name)) found.set(name, found.get(name) || first)
  }
  return found
}

/** The text with these in the place of its variables, as they are: nothing in them is read again. @param {string} text @param {Map<string, string>} values */
export function filledIn(text, values) {
  return text.replace(VARIABLE, (whole, /** @type {string} */ inside) => values.get(partsOf(inside)[0]) ?? whole)
}

/** @param {string} inside @returns {[string, string]} */
function partsOf(inside) {
  const at = inside.search(/[:：]/)
  return at < 0 ? [inside.trim(), ""] : [inside.slice(0, at).trim(), inside.slice(at + 1).trim()]
}

/** @param {string} name */
const isName = (name) => name.length > 0 && [...name].length <= LONGEST
