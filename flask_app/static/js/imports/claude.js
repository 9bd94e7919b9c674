// @ts-check
/** Claude's conversations.json: a list of messages, each of blocks; newer files say what each follows. */
import { artifactOf } from "app/imports/documents.js"
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"
import { noneLeft } from "app/imports/left-out.js"
import { bytesOf } from "app/imports/told-files.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */
/** @typedef {import("app/imports/told-files.js").Told} Told */
/** @typedef {import("app/imports/left-out.js").Left} Left */

const ARTIFACTS = "artifacts"
const KNOWN = new Set(["text", "thinking", "tool_use", "tool_result", "token_budget"])

/** @param {Record<string, any>} each */
export function isClaude(each) {
  return "chat_messages" in each
}

/** @param {Record<string, any>} each @param {import("app/imports/kept-tree.js").Contents} [contents] @param {Left} [left] */
export function fromClaude(each, contents, left = noneLeft()) {
  /** @type {Map<string, import("app/imports/documents.js").Artifact>} */
  const artifacts = new Map()
  const messages = listOf(each.chat_messages).map(objectOf)
  const known = new Set(messages.map(({ uuid }) => uuid))
  const saysParents = messages.some(({ parent_message_uuid: parent }) => known.has(parent))
  const nodes = messages.map((message, place) => {
    const parent = saysParents ? message.parent_message_uuid : messages[place - 1]?.uuid
    return nodeOf(message, known.has(parent) ? idOf(parent) : null, artifacts, left)
  })
  return talkOf({ id: each.uuid, title: each.name, created: each.created_at, updated: each.updated_at, pinned: each.is_starred }, nodes, contents)
}

/** @param {Record<string, any>} message @param {string | null} parent @param {Map<string, import("app/imports/documents.js").Artifact>} artifacts @param {Left} left @returns {Node} */
function nodeOf({ uuid, sender, text, content, attachments, files, created_at: at }, parent, artifacts, left) {
  const blocks = listOf(content).map(objectOf)
  const thoughts = blocks.filter(({ type }) => type === "thinking").map(({ thinking }) => textOf(thinking)).filter(Boolean).join("\n\n")
  const own = blocks.some(({ type, text: said }) => type === "text" && textOf(said)) ? "" : textOf(text)
  const words = [own, ...blocks.map((block) => wordsOf(block, artifacts))].filter(Boolean).join("\n\n")
  const role = sender === "human" || sender === "user" ? "user" : sender === "assistant" ? "assistant" : null
  left.tools += blocks.filter(({ type, name }) => type === "tool_use" && name !== ARTIFACTS).length
  left.other += blocks.filter(({ type }) => !KNOWN.has(type)).length
  return { id: idOf(uuid), parent, role, text: words, reasoning: role === "assistant" ? thoughts : "", at: timeOf(at), files: filesOf(idOf(uuid), listOf(attachments), listOf(files)) }
}

/** @param {Record<string, any>} block @param {Map<string, import("app/imports/documents.js").Artifact>} artifacts */
function wordsOf({ type, text, name, input }, artifacts) {
  if (type === "tool_use" && name === ARTIFACTS) return artifactOf(input, artifacts)
  return type === "text" ? textOf(text) : ""
}

/** What was read out of those of the first kind is there; the others are named. @param {string} message @param {unknown[]} attachments @param {unknown[]} files @returns {Told[]} */
function filesOf(message, attachments, files) {
  const read = attachments.map(objectOf).map(({ file_name: name, file_type: type, file_size: size, extracted_content: words }, at) => {
    return { id: idOf(`${message}.${at}`), name: textOf(name), type: textOf(type), bytes: bytesOf(size), words: textOf(words) }
  })
  const known = new Set(read.map(({ name }) => name))
  const named = files.map(objectOf).map(({ file_uuid: id, file_name: name, file_kind: kind }, at) => {
    return { id: idOf(id || `${message}-${at}`), name: textOf(name), type: kind === "image" ? "image/*" : "", bytes: 0 }
  })
  return [...read, ...named.filter(({ name }) => !known.has(name))].filter(({ name, ...file }) => name || ("words" in file && file.words))
}
