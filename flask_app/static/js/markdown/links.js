// @ts-check
/**
 * Addresses that stand bare in a text. Chinese and Japanese set no space behind one, so it ends where their script begins; an
 * address that holds such a script comes percent-encoded, or in brackets.
 */
import MarkdownIt from "markdown-it"

const usual = new MarkdownIt().linkify
const RUN = /[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef]*/uy

/** @param {import("markdown-it").MarkdownIt} md */
export function bareLinks({ linkify }) {
  linkify.set({ fuzzyLink: false, fuzzyEmail: false })
  for (const scheme of ["http:", "https:", "mailto:"]) {
    linkify.add(scheme, { validate: (/** @type {string} */ text, /** @type {number} */ at) => lengthOf(scheme, text, at) })
  }
}

/** @param {string} scheme @param {string} text @param {number} at behind the scheme */
function lengthOf(scheme, text, at) {
  RUN.lastIndex = at
  const run = RUN.exec(text)?.[0] ?? ""
  return usual.testSchemaAt(scheme + run, scheme, scheme.length)
}
