// @ts-check
/** What a model wrote beside the talk, as fenced code in its answer: Claude's artifacts, ChatGPT's canvas. */
import { listOf, objectOf, textOf } from "app/imports/kept-tree.js"

/** @typedef {{title: string, language: string, content: string}} Artifact */

const LANGUAGES = /** @type {Record<string, string>} */ ({
  "text/markdown": "markdown",
  "text/html": "html",
  "image/svg+xml": "svg",
  "application/vnd.ant.react": "jsx",
  "application/vnd.ant.mermaid": "mermaid",
})
const SHORTEST = 3 // of a fence
const WORD = /^[\w+#.-]{1,30}$/

/** @param {Artifact} artifact */
function fenced({ title, language, content }) {
  const longest = Math.max(SHORTEST - 1, ...[...content.matchAll(/`+/g)].map(([marks]) => marks.length))
  const fence = "`".repeat(longest + 1)
  const heading = title.trim() && `**${title.trim().replaceAll("*", "\\*").replace(/\s+/g, " ")}**\n\n`
  return content.trim() ? `${heading}${fence}${WORD.test(language) ? language : ""}\n${content.replace(/\n$/, "")}\n${fence}` : ""
}

/** What an artifact has become by this block; what changes one is put into what it was. @param {unknown} input @param {Map<string, Artifact>} known by their ids, in this talk */
export function artifactOf(input, known) {
  const { id, title, type, language, content, old_str: before, new_str: after } = objectOf(input)
  const was = known.get(String(id))
  const changed = textOf(content) || changedBy(was?.content ?? "", textOf(before), textOf(after))
  const made = { title: textOf(title) || (was?.title ?? ""), language: textOf(language) || LANGUAGES[textOf(type)] || (was?.language ?? ""), content: changed }
  known.set(String(id), made)
  return fenced(made)
}

/** @param {string} whole @param {string} before @param {string} after */
function changedBy(whole, before, after) {
  const at = before ? whole.indexOf(before) : -1
  return at < 0 ? after : whole.slice(0, at) + after + whole.slice(at + before.length)
}

/** @param {Record<string, any>} content of what was written to it: a document, or what is new in it */
export function canvasOf({ text, parts }) {
  const { name, type, content, updates } = readAs(textOf(text) || listOf(parts).map(textOf).join(""))
  const language = textOf(type).startsWith("code/") ? textOf(type).slice("code/".length) : "markdown"
  if (content) return fenced({ title: textOf(name), language, content: textOf(content) })
  return listOf(updates).map((each) => fenced({ title: "", language: "", content: textOf(objectOf(each).replacement) })).filter(Boolean).join("\n\n")
}

/** @param {string} words @returns {Record<string, any>} */
function readAs(words) {
  try {
    return objectOf(JSON.parse(words))
  } catch {
    return {}
  }
}
