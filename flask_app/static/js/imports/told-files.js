// @ts-check
/** Files as others' exports tell of them: most by their names, some with what was read of them, or whole. */

/** @typedef {import("app/imports/contents.js").Contents} Contents */
/** @typedef {import("app/imports/kept-tree.js").NamedFile} NamedFile */
/** `words`: what was read of it; `address`: a data: address that holds it. @typedef {{id: string, name: string, type: string, bytes: number, words?: string, address?: string}} Told */

const MOST = 10 // with a message
const TEXTS = /\.(txt|md|markdown|csv|tsv|json|jsonl|ya?ml|toml|ini|xml|html?|css|[cm]?js|ts|tsx|jsx|py|rb|go|rs|java|kt|c|h|cc|cpp|hpp|cs|php|sh|sql|log|tex|srt)$/i
const IN_BASE64 = /^data:[^,]*;base64,/

/** Notes what is in it, where the export has that. @param {Told} told @param {Contents} contents @returns {NamedFile} */
export function namedFile({ id, name, type, bytes, words, address }, contents) {
  if (words) {
    const called = TEXTS.test(name) ? name : `${name || "text"}.txt` // what was read of a PDF is none
    contents.set(id, { name: called, words, read: async () => new Blob([words]) })
    return { ...BARE, id, name: called, kind: "text", content_type: "text/plain", bytes: new Blob([words]).size }
  }
  if (address && IN_BASE64.test(address)) contents.set(id, { name, read: async () => decoded(address) })
  return { ...BARE, id, name, kind: kindOf(type), content_type: type, bytes }
}

const BARE = { digest: null, absent: "left_out" }

/** @param {string} type */
const kindOf = (type) => (type.startsWith("image/") ? "picture" : type.startsWith("text/") ? "text" : "document")

/** @param {string} address */
function decoded(address) {
  try {
    return new Blob([Uint8Array.from(atob(address.replace(IN_BASE64, "")), (sign) => sign.charCodeAt(0))])
  } catch {
    return null
  }
}

/** What stands in a question for those that it cannot have any more. @param {Told[]} files */
export const beyondMost = (files) => files.slice(MOST).map(({ name, words }) => [name, words].filter(Boolean).join("\n\n"))

/** Those that a question has here. @param {Told[]} files */
export const asManyAsGo = (files) => files.slice(0, MOST)

/** @param {unknown} value a number of bytes */
export const bytesOf = (value) => (typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0)
