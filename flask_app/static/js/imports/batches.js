// @ts-check
/** Conversations in parts that the server takes one after the other; what is sent twice is written once. */
import { ApiError, api } from "app/api.js"

/** @typedef {import("app/imports/kept-tree.js").Talk} Talk */
/** @typedef {import("app/imports/shapes.js").Folder} Folder */
/** @typedef {{imported: number, known: number, too_old: number, refused: number}} Sums */

const PATH = "/api/conversations/import"
const USUAL_BYTES = 400_000 // of a part with several
const MOST_BYTES = 7_500_000 // of one conversation alone
const MOST_TALKS = 50
const LOOKED_UP = 1000
const MOST_WAITS = 20 // for a server that has had enough for a while

/** What would become of them. Throws ApiError. @param {Talk[]} talks @returns {Promise<Sums>} */
export async function look(talks) {
  const sums = noSums()
  for (let at = 0; at < talks.length; at += LOOKED_UP) {
    const some = talks.slice(at, at + LOOKED_UP)
    const conversations = some.map(({ id, created_at, updated_at }) => ({ id, created_at, updated_at }))
    add(sums, (await api.post(`${PATH}/look`, { conversations })).outcomes)
  }
  return sums
}

/**
 * Sends them, until `signal` says to stop. Throws ApiError; what has come in by then stays.
 * @param {{talks: Talk[], folders: Folder[]}} found @param {(done: number, sums: Sums) => void} tell @param {AbortSignal} signal
 */
export async function send({ talks, folders }, tell, signal) {
  const sums = noSums()
  let done = 0
  for (const part of partsOf(talks)) {
    if (signal.aborted) break
    if (part.isTooLong) sums.refused += part.talks.length
    else {
      const told = await patiently(() => api.post(PATH, bodyOf(part.talks, folders)), signal)
      if (!told) break
      add(sums, told.outcomes)
    }
    done += part.talks.length
    tell(done, sums)
  }
  return sums
}

/** @param {Talk[]} talks @returns {Generator<{talks: Talk[], isTooLong: boolean}>} */
export function* partsOf(talks) {
  /** @type {Talk[]} */
  let part = []
  let bytes = 0
  for (const talk of talks) {
    const own = new Blob([JSON.stringify(talk)]).size
    if (part.length > 0 && (bytes + own > USUAL_BYTES || part.length >= MOST_TALKS)) {
      yield { talks: part, isTooLong: false }
      part = []
      bytes = 0
    }
    if (own > MOST_BYTES) yield { talks: [talk], isTooLong: true }
    else {
      part.push(talk)
      bytes += own
    }
  }
  if (part.length > 0) yield { talks: part, isTooLong: false }
}

/** @param {Talk[]} talks @param {Folder[]} folders */
function bodyOf(talks, folders) {
  const named = new Set(talks.map(({ folder_id: id }) => id))
  return { conversations: talks, folders: folders.filter(({ id }) => named.has(id)) }
}

/** Null where `signal` came while it waited to ask again. @template T @param {() => Promise<T>} ask @param {AbortSignal} signal */
async function patiently(ask, signal) {
  for (let waits = 0; ; waits++) {
    try {
      return await ask()
    } catch (error) {
      const seconds = error instanceof ApiError ? error.retryAfter : null
      if (seconds === null || waits >= MOST_WAITS) throw error
      await pause(seconds, signal)
      if (signal.aborted) return null
    }
  }
}

/** As long, or until the signal. @param {number} seconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(seconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000)
    signal.addEventListener("abort", () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
}

/** @returns {Sums} */
function noSums() {
  return { imported: 0, known: 0, too_old: 0, refused: 0 }
}

/** @param {Sums} sums @param {{outcome: keyof Sums}[]} outcomes */
function add(sums, outcomes) {
  for (const { outcome } of outcomes) sums[outcome]++
}
