// @ts-check
/** What a branch of a conversation takes of its model's context. */
import { tokensOf } from "app/chat/context-meter.js"

/** @typedef {import("app/chat/answer.js").Usage} Usage */
/** @typedef {{id: string, role: string, status: string, text: string, files: (import("app/chat/file-list.js").MessageFile & {tokens?: number})[], search: {sources: {text: string}[]} | null, usage: Usage | null}} Said */

/**
 * That of its last answer that was counted. Where none ever was, as in a conversation that was brought in, about what its words and files are.
 * @param {Said[]} path from its beginning @param {(id: string) => Usage | null | undefined} drawnUsage of an answer on the page; undefined where it is not
 * @returns {Usage | null}
 */
export function usageOf(path, drawnUsage) {
  const counted = path.map(({ id, usage }) => drawnUsage(id) ?? usage).findLast(Boolean)
  const isAnswered = path.some(({ role, status, text }) => role === "assistant" && status !== "running" && text)
  return counted ?? (isAnswered ? estimated(path) : null)
}

/** @param {Said[]} path @returns {Usage} */
function estimated(path) {
  let tokens = 0
  for (const { role, text, files, search } of path) {
    const sources = role === "user" ? (search?.sources ?? []) : [] // what a model found itself is not told again
    for (const words of [text, ...sources.map((source) => source.text)]) tokens += tokensOf(words)
    for (const file of files) tokens += file.absent ? 0 : (file.tokens ?? 0)
  }
  return { total_tokens: tokens, context_tokens: tokens, source: "estimated" }
}
