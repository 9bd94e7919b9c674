// @ts-check
/** Conversations that do not come in: each is named, with why, and stops none of the others. */
import { ApiError } from "app/api.js"
import { namedBy } from "app/imports/contents.js"
import { listOf } from "app/imports/kept-tree.js"

/** @typedef {import("app/imports/kept-tree.js").Talk} Talk */
/** @typedef {{outcome: "imported" | "continued" | "known" | "too_old" | "refused", code?: string | null}} Outcome */
/** @typedef {{outcome: "refused", code: string}} Refused */
/** @typedef {{title: string, code: string}} Refusal */

export const TOO_LONG = "too_long"
export const TOO_MANY = "import_too_many_messages"
export const MOST_BYTES = 7_500_000 // of one conversation alone
const MOST_MESSAGES = 20_000 // files and calls of tools among them, as the server counts
const UNREAD = new Set([400, 413, 422]) // the server could not read what was sent

/** @param {unknown} talk in bytes */
export const sizeOf = (talk) => new Blob([JSON.stringify(talk)]).size

/** Why the server would not take it, as far as that is seen here. @param {Talk} talk */
export function tooMuch(talk) {
  if (sizeOf(talk) > MOST_BYTES) return TOO_LONG
  const calls = talk.messages.reduce((sum, said) => sum + listOf(said.calls).length, 0)
  return talk.messages.length + namedBy([talk]).size + calls > MOST_MESSAGES ? TOO_MANY : null
}

/**
 * What became of these. Where the server cannot read them it is asked for each half, until the one is found that it cannot. Null: called off.
 * @template T, O
 * @param {T[]} talks @param {(some: T[]) => Promise<O[] | null>} ask @returns {Promise<(O | Refused)[] | null>}
 */
export async function apart(talks, ask) {
  try {
    return await ask(talks)
  } catch (error) {
    if (!(error instanceof ApiError) || !UNREAD.has(error.status)) throw error
    if (talks.length < 2) return talks.map(() => ({ outcome: "refused", code: error.code }))
  }
  const half = Math.ceil(talks.length / 2)
  const first = await apart(talks.slice(0, half), ask)
  const rest = first && (await apart(talks.slice(half), ask))
  return rest && [...(first ?? []), ...rest]
}
