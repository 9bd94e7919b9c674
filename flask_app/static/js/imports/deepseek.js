// @ts-check
/** DeepSeek's conversations.json: a tree in `mapping`, whose messages are fragments: what was asked, thought, searched and answered. */
import { idOf, listOf, objectOf, talkOf, textOf, timeOf } from "app/imports/kept-tree.js"
import { noneLeft } from "app/imports/left-out.js"
import { bytesOf } from "app/imports/told-files.js"

/** @typedef {import("app/imports/kept-tree.js").Node} Node */
/** @typedef {import("app/imports/left-out.js").Left} Left */

const KNOWN = new Set(["REQUEST", "RESPONSE", "THINK"])

/** @param {Record<string, any>} each */
export function isDeepSeek(each) {
  return "mapping" in each && "inserted_at" in each
}

/** @param {Record<string, any>} each @param {import("app/imports/kept-tree.js").Contents} [contents] @param {Left} [left] */
export function fromDeepSeek(each, contents, left = noneLeft()) {
  const nodes = Object.entries(objectOf(each.mapping)).map(([id, node]) => nodeOf(id, objectOf(node), idOf(each.id), left))
  tellApart(nodes)
  return talkOf({ id: each.id, title: each.title, created: each.inserted_at, updated: each.updated_at }, nodes, contents)
}

/**
 * Files of early 2025 have no fragments, and do not say who speaks: questions and answers take turns, behind a root without a word.
 * @param {Node[]} nodes
 */
function tellApart(nodes) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  for (const node of nodes) {
    if (node.role || !node.text) continue
    let [depth, above] = [0, node.parent]
    while (above && byId.get(above)?.text && depth < nodes.length) {
      depth++
      above = byId.get(above)?.parent ?? null
    }
    node.role = depth % 2 === 0 ? "user" : "assistant"
  }
}

/** @param {string} id @param {Record<string, any>} node @param {string} talk @param {Left} left @returns {Node} */
function nodeOf(id, { parent, message }, talk, left) {
  const { fragments, model, content, reasoning_content: thoughts, files, inserted_at: at } = objectOf(message)
  const told = listOf(fragments).map(objectOf)
  const saying = (/** @type {string} */ kind) => told.filter(({ type }) => type === kind).map(({ content }) => textOf(content)).filter(Boolean).join("\n\n")
  const [asked, answered, reasoning] = ["REQUEST", "RESPONSE", "THINK"].map(saying)
  left.tools += told.filter(({ type }) => !KNOWN.has(type)).length
  const role = asked ? "user" : answered || reasoning ? "assistant" : null
  return { id: idOf(id), parent: parent ? idOf(parent) : null, role, text: asked || answered || textOf(content), reasoning: reasoning || textOf(thoughts), model, at: timeOf(at), files: filesOf(`${talk}.${id}`, listOf(files)) }
}

/** @param {string} message told from those of other talks @param {unknown[]} files @returns {import("app/imports/told-files.js").Told[]} */
function filesOf(message, files) {
  const told = files.map(objectOf).map(({ id, file_name: name, file_size: size, content }, at) => {
    return { id: idOf(id || `${message}.${at}`), name: textOf(name), type: "", bytes: bytesOf(size), words: textOf(content) }
  })
  return told.filter(({ name }) => name)
}
