// @ts-check
/** Claude's conversations.json: a list of messages, each of blocks; newer files say what each follows. */
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"
import { bytesOf } from "app/imports/told-files.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */
/** @typedef {import("app/imports/told-files.js").Told} Told */

/** @param {Record<string, any>} each */
export function isClaude(each) {
  return "chat_messages" in each
}

/** @param {Record<string, any>} each @param {import("app/imports/kept-tree.js").Contents} [contents] */
export function fromClaude(each, contents) {
  const messages = listOf(each.chat_messages).map(objectOf)
  const known = new Set(messages.map(({ uuid }) => uuid))
  const saysParents = messages.some(({ parent_message_uuid: parent }) => known.has(parent))
  const nodes = messages.map((message, place) => {
    const parent = saysParents ? message.parent_message_uuid : messages[place - 1]?.uuid
    return nodeOf(message, known.has(parent) ? idOf(parent) : null)
  })
  return talkOf({ id: each.uuid, title: each.name, created: each.created_at, updated: each.updated_at, pinned: each.is_starred }, nodes, contents)
}

/** @param {Record<string, any>} message @param {string | null} parent @returns {Node} */
function nodeOf({ uuid, sender, text, content, attachments, files, created_at: at }, parent) {
  const blocks = listOf(content).map(objectOf)
  const saying = (/** @type {string} */ kind) => blocks.filter(({ type }) => type === kind).map((block) => textOf(block[kind])).filter(Boolean).join("\n\n")
  const words = saying("text") || textOf(text)
  const role = sender === "human" || sender === "user" ? "user" : sender === "assistant" ? "assistant" : null
  return { id: idOf(uuid), parent, role, text: words, reasoning: role === "assistant" ? saying("thinking") : "", at: timeOf(at), files: filesOf(idOf(uuid), listOf(attachments), listOf(files)) }
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
