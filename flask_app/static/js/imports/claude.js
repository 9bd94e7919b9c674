// @ts-check
/** Claude's conversations.json: a list of messages, each of blocks; newer files say what each follows. */
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */

/** @param {Record<string, any>} each */
export function isClaude(each) {
  return "chat_messages" in each
}

/** @param {Record<string, any>} each */
export function fromClaude(each) {
  const messages = listOf(each.chat_messages).map(objectOf)
  const known = new Set(messages.map(({ uuid }) => uuid))
  const saysParents = messages.some(({ parent_message_uuid: parent }) => known.has(parent))
  const nodes = messages.map((message, place) => {
    const parent = saysParents ? message.parent_message_uuid : messages[place - 1]?.uuid
    return nodeOf(message, known.has(parent) ? idOf(parent) : null)
  })
  return talkOf({ id: each.uuid, title: each.name, created: each.created_at, updated: each.updated_at, pinned: each.is_starred }, nodes)
}

/** @param {Record<string, any>} message @param {string | null} parent @returns {Node} */
function nodeOf({ uuid, sender, text, content, attachments, created_at: at }, parent) {
  const blocks = listOf(content).map(objectOf)
  const saying = (/** @type {string} */ kind) => blocks.filter(({ type }) => type === kind).map((block) => textOf(block[kind])).filter(Boolean).join("\n\n")
  const files = listOf(attachments).map(objectOf).map(attached).filter(Boolean)
  const words = [saying("text") || textOf(text), ...files].filter(Boolean).join("\n\n")
  const role = sender === "human" || sender === "user" ? "user" : sender === "assistant" ? "assistant" : null
  return { id: idOf(uuid), parent, role, text: words, reasoning: role === "assistant" ? saying("thinking") : "", at: timeOf(at) }
}

/** What was read out of a file that was sent along. @param {Record<string, any>} file */
function attached({ file_name: name, extracted_content: words }) {
  const text = textOf(words)
  return text && `${textOf(name)}\n\n${text}`
}
