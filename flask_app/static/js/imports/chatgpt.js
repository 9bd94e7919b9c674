// @ts-check
/** ChatGPT's conversations.json: a tree in `mapping`, whose messages have parts. */
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"
import { bytesOf } from "app/imports/told-files.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */
/** @typedef {import("app/imports/told-files.js").Told} Told */

const POINTER = /^[a-z-]+:\/\/([\w-]+)/ // file-service://file-abc, sediment://file_abc

/** @param {Record<string, any>} each */
export function isChatGpt(each) {
  return "mapping" in each && ("create_time" in each || "current_node" in each)
}

/** @param {Record<string, any>} each @param {import("app/imports/kept-tree.js").Contents} [contents] */
export function fromChatGpt(each, contents) {
  const nodes = Object.entries(objectOf(each.mapping)).map(([id, node]) => nodeOf(id, objectOf(node)))
  const about = { id: each.conversation_id ?? each.id, title: each.title, created: each.create_time, updated: each.update_time }
  return talkOf({ ...about, archived: each.is_archived, pinned: each.is_starred }, nodes, contents)
}

/** @param {string} id @param {Record<string, any>} node @returns {Node} */
function nodeOf(id, { parent, message }) {
  const { author, content, create_time: at, metadata } = objectOf(message)
  const { role: named } = objectOf(author)
  const told = objectOf(content)
  const { model_slug: model, is_visually_hidden_from_conversation: isHidden } = objectOf(metadata)
  const role = !isHidden && (named === "user" || named === "assistant") ? named : null
  const reasoning = named === "assistant" ? thoughtsOf(told) : ""
  const text = role && isForReaders(message, told) ? wordsOf(told) : ""
  const files = role === "user" ? filesOf(id, objectOf(metadata), told) : []
  return { id: idOf(id), parent: parent ? idOf(parent) : null, role: text || reasoning || files.length ? role : null, text, reasoning, model, at: timeOf(at), files }
}

/** What was sent along; a picture stands among the parts too. @param {string} message @param {Record<string, any>} metadata @param {Record<string, any>} content @returns {Told[]} */
function filesOf(message, { attachments }, { parts }) {
  const told = listOf(attachments).map(objectOf).filter(({ id, name }) => id || textOf(name))
  const listed = told.map(({ id, name, size, mime_type: type, mimeType }, at) => ({ id: idOf(id || `${message}.${at}`), name: textOf(name), type: textOf(type ?? mimeType), bytes: bytesOf(size) }))
  const known = new Set(listed.map(({ id }) => id))
  const pictures = listOf(parts)
    .map(objectOf)
    .filter(({ content_type: kind, asset_pointer: pointer }) => kind === "image_asset_pointer" && typeof pointer === "string" && pointer)
    .map(({ asset_pointer: pointer, size_bytes: size }) => ({ id: idOf(POINTER.exec(pointer)?.[1] ?? pointer), name: "", type: "image/*", bytes: bytesOf(size) }))
  return [...listed, ...pictures.filter(({ id }) => !known.has(id))].map((file) => ({ ...file, name: file.name || file.id }))
}

/** What is written to a tool is none of the talk. @param {unknown} message @param {Record<string, any>} content */
function isForReaders(message, { content_type: kind }) {
  const { recipient = "all" } = objectOf(message)
  return recipient === "all" && ["text", "multimodal_text", "code"].includes(kind)
}

/** @param {Record<string, any>} content */
function wordsOf({ content_type: kind, parts, text, language }) {
  if (kind === "code") return text ? `\`\`\`${language === "unknown" ? "" : textOf(language)}\n${textOf(text)}\n\`\`\`` : ""
  return listOf(parts).map(partOf).filter(Boolean).join("\n\n")
}

/** A picture is not among the words; what was heard is. @param {unknown} part */
function partOf(part) {
  if (typeof part === "string") return textOf(part)
  const { content_type: kind, text } = objectOf(part)
  return kind === "audio_transcription" ? textOf(text) : ""
}

/** @param {Record<string, any>} content */
function thoughtsOf({ content_type: kind, thoughts }) {
  if (kind !== "thoughts") return ""
  return listOf(thoughts)
    .map(objectOf)
    .map(({ summary, content }) => [textOf(summary), textOf(content)].filter(Boolean).join("\n\n"))
    .filter(Boolean)
    .join("\n\n")
}
