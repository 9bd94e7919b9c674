// @ts-check
/** What all readers of others' exports need: times, texts, and a tree of which only some nodes are kept. */
import { asManyAsGo, beyondMost, namedFile } from "app/imports/told-files.js"

/** @typedef {import("app/imports/contents.js").Contents} Contents */

/**
 * @typedef {{id: string, parent_id: string | null, role: "user" | "assistant", text: string, reasoning?: string, status?: string,
 *   thinking_ms?: number | null, model?: string | null, finish_reason?: string | null, error_code?: string | null, created_at: string,
 *   files?: NamedFile[], calls?: object[]}} Said
 */
/**
 * @typedef {{id: string, name: string, kind: string, content_type: string, bytes: number, digest?: string | null, absent?: string | null}} NamedFile
 */
/**
 * @typedef {{id: string, title: string, folder_id?: string | null, created_at: string, updated_at: string, pinned_at?: string | null,
 *   archived?: boolean, assistant?: {name: string, icon?: string} | null, messages: Said[]}} Talk
 */
/** A node of somebody's tree. Without a role it is none of the talk: what follows it follows the one before. `reasoning` is of what follows. */
/** `files` are those of a question. */
/** @typedef {{id: string, parent: string | null, role: "user" | "assistant" | null, text: string, reasoning: string, model?: string | null, at: string | null, files?: import("app/imports/told-files.js").Told[]}} Node */

/** @param {unknown} moment seconds since 1970, milliseconds, or as ISO 8601 has it @returns {string | null} */
export function timeOf(moment) {
  if (moment === null || moment === undefined || moment === "") return null
  const number = typeof moment === "number" ? moment : NaN
  const date = Number.isFinite(number) ? new Date(number < 1e11 ? number * 1000 : number) : new Date(String(moment))
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** @param {unknown} value */
export function textOf(value) {
  return typeof value === "string" ? value.replaceAll("\0", "").toWellFormed() : ""
}

/** @param {unknown} value an id of at most 64 characters: a longer one is told by its end, which may cut a character in two */
export function idOf(value) {
  return String(value ?? "").slice(-64).toWellFormed()
}

/** @param {unknown} value @returns {Record<string, any>} */
export function objectOf(value) {
  return value !== null && typeof value === "object" ? /** @type {Record<string, any>} */ (value) : {}
}

/** @param {unknown} value @returns {any[]} */
export function listOf(value) {
  return Array.isArray(value) ? value : []
}

/**
 * The messages of a talk, each behind the one it follows. Nodes that say nothing are left out; an answer in several parts, one behind the
 * other, is one answer.
 * @param {Node[]} nodes @param {string} began the time of what has none @param {Contents} [contents] is given what is in their files
 * @returns {Said[]}
 */
export function keptOf(nodes, began, contents = new Map()) {
  /** @type {Map<string | null, Node[]>} */
  const following = new Map()
  for (const node of nodes) {
    const beside = following.get(node.parent)
    if (beside) beside.push(node)
    else following.set(node.parent, [node])
  }
  const known = new Set(nodes.map(({ id }) => id))
  const roots = nodes.filter(({ id, parent }) => parent === null || parent === id || !known.has(parent))
  /** @type {Said[]} */
  const kept = []
  /** @type {{node: Node, above: Said | null, thoughts: string}[]} */
  const open = roots.map((node) => ({ node, above: null, thoughts: "" })).reverse()
  const seen = new Set()
  while (open.length > 0) {
    const { node, above, thoughts } = /** @type {(typeof open)[number]} */ (open.pop())
    if (seen.has(node.id)) continue
    seen.add(node.id)
    const children = following.get(node.id) ?? []
    const isAlone = (following.get(node.parent) ?? []).length < 2
    const reasoning = [thoughts, node.reasoning].filter(Boolean).join("\n\n")
    const isSaid = node.role === "user" ? node.text.trim() !== "" || Boolean(node.files?.length) : node.role === "assistant" && (node.text.trim() !== "" || (reasoning !== "" && children.length === 0))
    let here = above
    if (isSaid && node.role) {
      if (node.role === "assistant" && above?.role === "assistant" && isAlone) join(above, node.text, reasoning)
      else kept.push((here = saidOf(node, above, reasoning, began, contents)))
    }
    const carried = isSaid ? "" : reasoning
    for (const child of [...children].reverse()) open.push({ node: child, above: here, thoughts: carried })
  }
  return kept
}

/** @param {Said} above @param {string} text @param {string} reasoning */
function join(above, text, reasoning) {
  above.text = [above.text, text].filter(Boolean).join("\n\n")
  above.reasoning = [above.reasoning, reasoning].filter(Boolean).join("\n\n")
}

/** @param {Node} node @param {Said | null} above @param {string} reasoning @param {string} began @param {Contents} contents @returns {Said} */
function saidOf({ id, role, text, model, at, files = [] }, above, reasoning, began, contents) {
  const isAnswer = role === "assistant"
  return {
    id,
    parent_id: above?.id ?? null,
    role: isAnswer ? "assistant" : "user",
    text: isAnswer ? text : [text, ...beyondMost(files)].filter(Boolean).join("\n\n"),
    reasoning: isAnswer ? reasoning : "",
    model: isAnswer && model ? idOf(model) : null,
    created_at: at ?? above?.created_at ?? began,
    ...(isAnswer || !files.length ? {} : { files: asManyAsGo(files).map((each) => namedFile(each, contents)) }),
  }
}

/**
 * A talk; null where nothing was said in it.
 * @param {{id: unknown, title: unknown, created: unknown, updated: unknown, archived?: unknown, pinned?: unknown}} about @param {Node[]} told
 * @param {Contents} [contents] is given what is in their files
 * @returns {Talk | null}
 */
export function talkOf({ id, title, created, updated, archived, pinned }, told, contents) {
  const nodes = told.map((node, place) => (node.id ? node : { ...node, id: `${place}.` }))
  const times = nodes.flatMap(({ at }) => at ?? []).sort()
  const began = timeOf(created) ?? times[0] ?? new Date(0).toISOString()
  const messages = keptOf(nodes, began, contents)
  if (messages.length === 0) return null
  const ended = timeOf(updated) ?? times.at(-1) ?? began
  return {
    id: idOf(id) || idOf(`${began} ${messages[0]?.id}`), // the same with each export
    title: textOf(title).trim().slice(0, 200).toWellFormed(),
    created_at: began,
    updated_at: ended,
    pinned_at: pinned === true ? ended : null,
    archived: archived === true,
    messages,
  }
}
