// @ts-check
/** Open WebUI's export of chats: a tree in `chat.history.messages`. */
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */

const THOUGHTS = /<details type="reasoning"[^>]*>\s*(?:<summary>[^<]*<\/summary>)?([\s\S]*?)<\/details>\s*/g
const MARK = /^> ?/gm

/** @param {Record<string, any>} each */
export function isOpenWebUi(each) {
  return "messages" in objectOf(objectOf(each.chat).history)
}

/** @param {Record<string, any>} each */
export function fromOpenWebUi(each) {
  const chat = objectOf(each.chat)
  const nodes = Object.entries(objectOf(chat.history.messages)).map(([id, message]) => nodeOf(id, objectOf(message)))
  const about = { id: each.id ?? chat.id, title: each.title ?? chat.title, created: each.created_at ?? chat.timestamp, updated: each.updated_at }
  return talkOf({ ...about, archived: each.archived, pinned: each.pinned }, nodes)
}

/** @param {string} id @param {Record<string, any>} message @returns {Node} */
function nodeOf(id, { parentId: parent, role: named, content, model, timestamp: at }) {
  const role = named === "user" || named === "assistant" ? named : null
  const told = typeof content === "string" ? textOf(content) : partsOf(content)
  const thoughts = role === "assistant" ? [...told.matchAll(THOUGHTS)].map(([, words = ""]) => unescaped(words.replace(MARK, "")).trim()) : []
  const text = role === "assistant" ? told.replace(THOUGHTS, "").trim() : told
  return { id: idOf(id), parent: parent ? idOf(parent) : null, role, text, reasoning: thoughts.filter(Boolean).join("\n\n"), model, at: timeOf(at) }
}

/** @param {unknown} content */
function partsOf(content) {
  return listOf(content).map(objectOf).map(({ text }) => textOf(text)).filter(Boolean).join("\n\n")
}

/** @param {string} words */
function unescaped(words) {
  return words.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&#x27;", "'").replaceAll("&amp;", "&")
}
