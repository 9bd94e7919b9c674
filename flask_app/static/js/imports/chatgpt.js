// @ts-check
/** ChatGPT's conversations.json: a tree in `mapping`, whose messages have parts. */
import { canvasOf } from "app/imports/documents.js"
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"
import { noneLeft } from "app/imports/left-out.js"
import { bytesOf } from "app/imports/told-files.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */
/** @typedef {import("app/imports/told-files.js").Told} Told */
/** @typedef {import("app/imports/left-out.js").Left} Left */

const CANVAS = "canmore."
const RECAP = "reasoning_recap" // how long was thought
const POINTER = /^[a-z-]+:\/\/([\w-]+)/ // file-service://file-abc, sediment://file_abc

/** @param {Record<string, any>} each */
export function isChatGpt(each) {
  return "mapping" in each && ("create_time" in each || "current_node" in each)
}

/** @param {Record<string, any>} each @param {import("app/imports/kept-tree.js").Contents} [contents] @param {Left} [left] */
export function fromChatGpt(each, contents, left = noneLeft()) {
  const nodes = Object.entries(objectOf(each.mapping)).map(([id, node]) => nodeOf(id, objectOf(node), left))
  const about = { id: each.conversation_id ?? each.id, title: each.title, created: each.create_time, updated: each.update_time }
  return talkOf({ ...about, archived: each.is_archived, pinned: each.is_starred }, nodes, contents)
}

/** @param {string} id @param {Record<string, any>} node @param {Left} left @returns {Node} */
function nodeOf(id, { parent, message }, left) {
  const { author, content, create_time: at, metadata } = objectOf(message)
  const { role: named } = objectOf(author)
  const told = objectOf(content)
  const { model_slug: model, is_visually_hidden_from_conversation: isHidden } = objectOf(metadata)
  const made = named === "tool" && !isHidden ? madeOf(told, objectOf(metadata)) : ""
  const role = isHidden ? null : named === "user" ? "user" : named === "assistant" || made ? "assistant" : null
  const reasoning = named === "assistant" ? thoughtsOf(told) : ""
  const text = made || (role ? saidOf(message, told) : "")
  const files = role === "user" ? filesOf(id, objectOf(metadata), told) : []
  const isKept = Boolean(text || reasoning || files.length)
  if (made) left.pictures++
  else if (!isKept && hasWords(told)) left[named === "tool" || named === "assistant" ? "tools" : "other"]++
  return { id: idOf(id), parent: parent ? idOf(parent) : null, role: isKept ? role : null, text, reasoning, model, at: timeOf(at), files }
}

/** What is written to a tool is none of the talk, but for a document beside it. @param {unknown} message @param {Record<string, any>} content */
function saidOf(message, content) {
  if (isForReaders(message, content)) return wordsOf(content)
  return textOf(objectOf(message).recipient).startsWith(CANVAS) ? canvasOf(content) : ""
}

/** @param {Record<string, any>} content */
const hasWords = ({ content_type: kind, parts, text }) => kind !== RECAP && Boolean(textOf(text) || listOf(parts).some((part) => typeof part !== "string" || part))

/** A line for each picture that was made. @param {Record<string, any>} content @param {Record<string, any>} metadata */
function madeOf({ parts }, { image_gen_title: title }) {
  return picturesOf(parts).map(({ id }) => `[picture: ${textOf(title).replace(/\s+/g, " ").trim() || id}]`).join("\n\n")
}

/** What was sent along; a picture stands among the parts too. @param {string} message @param {Record<string, any>} metadata @param {Record<string, any>} content @returns {Told[]} */
function filesOf(message, { attachments }, { parts }) {
  const told = listOf(attachments).map(objectOf).filter(({ id, name }) => id || textOf(name))
  const listed = told.map(({ id, name, size, mime_type: type, mimeType }, at) => ({ id: idOf(id || `${message}.${at}`), name: textOf(name), type: textOf(type ?? mimeType), bytes: bytesOf(size) }))
  const known = new Set(listed.map(({ id }) => id))
  return [...listed, ...picturesOf(parts).filter(({ id }) => !known.has(id))].map((file) => ({ ...file, name: file.name || file.id }))
}

/** @param {unknown} parts @returns {Told[]} */
function picturesOf(parts) {
  return listOf(parts)
    .map(objectOf)
    .filter(({ content_type: kind, asset_pointer: pointer }) => kind === "image_asset_pointer" && typeof pointer === "string" && pointer)
    .map(({ asset_pointer: pointer, size_bytes: size }) => ({ id: idOf(POINTER.exec(pointer)?.[1] ?? pointer), name: "", type: "image/*", bytes: bytesOf(size) }))
}

/** @param {unknown} message @param {Record<string, any>} content */
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
