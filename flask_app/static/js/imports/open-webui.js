// @ts-check
/** Open WebUI's export of chats: a tree in `chat.history.messages`. */
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"
import { noneLeft } from "app/imports/left-out.js"
import { bytesOf } from "app/imports/told-files.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */

const THOUGHTS = /<details type="reasoning"[^>]*>\s*(?:<summary>[^<]*<\/summary>)?([\s\S]*?)<\/details>\s*/g
const CALLS = /<details type="tool_calls"[^>]*>[\s\S]*?<\/details>\s*/g
const MARK = /^> ?/gm
const PICTURE = "picture" // what has no name

/** @param {Record<string, any>} each */
export function isOpenWebUi(each) {
  return "messages" in objectOf(objectOf(each.chat).history)
}

/** @param {Record<string, any>} each @param {import("app/imports/kept-tree.js").Contents} [contents] @param {import("app/imports/left-out.js").Left} [left] */
export function fromOpenWebUi(each, contents, left = noneLeft()) {
  const chat = objectOf(each.chat)
  const nodes = Object.entries(objectOf(chat.history.messages)).map(([id, message]) => nodeOf(id, objectOf(message), left))
  const about = { id: each.id ?? chat.id, title: each.title ?? chat.title, created: each.created_at ?? chat.timestamp, updated: each.updated_at }
  return talkOf({ ...about, archived: each.archived, pinned: each.pinned }, nodes, contents)
}

/** @param {string} id @param {Record<string, any>} message @param {import("app/imports/left-out.js").Left} left @returns {Node} */
function nodeOf(id, { parentId: parent, role: named, content, model, timestamp: at, files }, left) {
  const role = named === "user" || named === "assistant" ? named : null
  const told = typeof content === "string" ? textOf(content) : partsOf(content)
  const thoughts = role === "assistant" ? [...told.matchAll(THOUGHTS)].map(([, words = ""]) => unescaped(words).trim().replace(MARK, "").trim()) : []
  const text = role === "assistant" ? told.replace(THOUGHTS, "").replace(CALLS, "").trim() : told
  if (role === "assistant") left.tools += [...told.matchAll(CALLS)].length
  else if (!role && told.trim()) left.other++
  return { id: idOf(id), parent: parent ? idOf(parent) : null, role, text, reasoning: thoughts.filter(Boolean).join("\n\n"), model, at: timeOf(at), files: listOf(files).map(objectOf).flatMap((file, place) => fileOf(`${id}.${place}`, file)) }
}

/** A picture may stand in its address; of a document there is what was read. @param {string} place @param {Record<string, any>} file @returns {import("app/imports/told-files.js").Told[]} */
function fileOf(place, { type: kind, id, name, size, url, file }) {
  if (kind !== "image" && kind !== "file") return []
  const { filename, meta, data } = objectOf(file)
  const { content_type: type, size: long, name: called } = objectOf(meta)
  const isPicture = kind === "image" || textOf(type).startsWith("image/")
  const about = { id: idOf(id || place), name: [name, called, filename].map(textOf).find(Boolean) || (isPicture ? PICTURE : ""), type: textOf(type) || (isPicture ? "image/*" : ""), bytes: bytesOf(size ?? long) }
  return about.name ? [{ ...about, ...(isPicture ? { address: textOf(url) } : { words: textOf(objectOf(data).content) }) }] : []
}

/** @param {unknown} content */
function partsOf(content) {
  return listOf(content).map(objectOf).map(({ text }) => textOf(text)).filter(Boolean).join("\n\n")
}

/** @param {string} words */
function unescaped(words) {
  return words.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&#x27;", "'").replaceAll("&amp;", "&")
}
