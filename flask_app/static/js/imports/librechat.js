// @ts-check
/** LibreChat's export of a conversation: messages that name the one they follow, or hold those that follow them. */
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"
import { noneLeft } from "app/imports/left-out.js"
import { bytesOf } from "app/imports/told-files.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */
/** @typedef {import("app/imports/left-out.js").Left} Left */

const FIRST = "2023-02-12T00:00:00Z" // nobody wrote in it before
const KNOWN = new Set(["text", "think"])

/** @param {Record<string, any>} each */
export function isLibreChat(each) {
  return "conversationId" in each && Array.isArray(each.messages)
}

/** @param {Record<string, any>} each @param {import("app/imports/kept-tree.js").Contents} [contents] @param {Left} [left] */
export function fromLibreChat(each, contents, left = noneLeft()) {
  const messages = flat(listOf(each.messages).map(objectOf))
  const known = new Set(messages.map(({ message }) => message.messageId))
  const nodes = messages.map(({ message, above }) => {
    const parent = known.has(message.parentMessageId) ? message.parentMessageId : above
    return nodeOf(message, parent ? idOf(parent) : null, left)
  })
  const { createdAt: created, updatedAt: updated, exportAt } = each
  const times = nodes.some(({ at }) => at !== null)
  const untold = timeOf(created) === null && !times // what each export says of itself would make another conversation of it each time
  return talkOf({ id: each.conversationId, title: each.title, created: untold ? FIRST : created, updated: untold ? (updated ?? exportAt) : updated }, nodes, contents)
}

/** With the message that each stands in. @param {Record<string, any>[]} roots */
function flat(roots) {
  /** @type {{message: Record<string, any>, above: string | null}[]} */
  const found = roots.map((message) => ({ message, above: null }))
  for (const { message } of found) {
    for (const child of listOf(message.children)) found.push({ message: objectOf(child), above: message.messageId })
  }
  return found
}

/** @param {Record<string, any>} message @param {string | null} parent @param {Left} left @returns {Node} */
function nodeOf({ messageId, isCreatedByUser, sender, text, content, model, files, createdAt: at }, parent, left) {
  const blocks = listOf(content).map(objectOf)
  const saying = (/** @type {string} */ kind) => blocks.filter(({ type }) => type === kind).map((block) => wordsOf(block[kind])).filter(Boolean).join("\n\n")
  for (const { type } of blocks) if (!KNOWN.has(type)) left[type === "tool_call" ? "tools" : "other"]++
  const isOwn = isCreatedByUser ?? sender === "User"
  const words = saying("text") || textOf(text)
  return { id: idOf(messageId), parent, role: isOwn ? "user" : "assistant", text: words, reasoning: isOwn ? "" : saying("think"), model: model ?? null, at: timeOf(at), files: listOf(files).map(objectOf).map((file, place) => fileOf(`${messageId}.${place}`, file)).filter(({ name }) => name) }
}

/** @param {string} place @param {Record<string, any>} file @returns {import("app/imports/told-files.js").Told} */
function fileOf(place, { file_id: id, filename, type, bytes, text }) {
  return { id: idOf(id || place), name: textOf(filename), type: textOf(type), bytes: bytesOf(bytes), words: textOf(text) }
}

/** @param {unknown} value */
function wordsOf(value) {
  return typeof value === "string" ? textOf(value) : textOf(objectOf(value).value)
}
