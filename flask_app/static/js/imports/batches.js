// @ts-check
/** Conversations in parts that the server takes one after the other; what is sent twice is written once. */
import { ApiError, api } from "app/api.js"
import { Carrier, namedBy } from "app/imports/contents.js"

/** @typedef {import("app/imports/kept-tree.js").Talk} Talk */
/** @typedef {import("app/imports/shapes.js").Folder} Folder */
/** `files`: whose contents did not come, though the export has them. @typedef {{imported: number, known: number, too_old: number, refused: number, files: number}} Sums */

const PATH = "/api/conversations/import"
const USUAL_BYTES = 400_000 // of a part with several
const MOST_BYTES = 7_500_000 // of one conversation alone
const MOST_TALKS = 50
const MOST_CONTENTS = 1_000 // that a part names
const LOOKED_UP = 1000
const MOST_WAITS = 20 // for a server that has had enough for a while

/** What would become of them. Throws ApiError. @param {Talk[]} talks @returns {Promise<Sums>} */
export async function look(talks) {
  const sums = noSums()
  for (let at = 0; at < talks.length; at += LOOKED_UP) {
    const some = talks.slice(at, at + LOOKED_UP)
    add(sums, (await api.post(`${PATH}/look`, { conversations: some.map(glimpse) })).outcomes)
  }
  return sums
}

/**
 * Sends them, until `signal` says to stop. Throws ApiError; what has come in by then stays.
 * @param {Pick<import("app/imports/shapes.js").Found, "talks" | "folders" | "contents">} found @param {(done: number, sums: Sums) => void} tell @param {AbortSignal} signal
 */
export async function send({ talks, folders, contents }, tell, signal) {
  const sums = noSums()
  const carrier = new Carrier(contents)
  let done = 0
  for (const part of partsOf(talks)) {
    if (signal.aborted) break
    if (part.isTooLong) sums.refused += part.talks.length
    else {
      const here = carrier.hasSome ? await brought(carrier, part.talks, signal) : {}
      const body = { ...bodyOf(carrier.withWords(part.talks), folders), ...(Object.keys(here).length ? { contents: here } : {}) }
      const told = signal.aborted ? null : await patiently(() => api.post(PATH, body), signal)
      if (!told) break
      add(sums, told.outcomes)
    }
    done += part.talks.length
    sums.files = carrier.left
    tell(done, sums)
  }
  return sums
}

/** The contents of the files of those that are not there yet. @param {Carrier} carrier @param {Talk[]} talks @param {AbortSignal} signal */
async function brought(carrier, talks, signal) {
  if (!namedBy(talks).size) return {}
  const looked = await patiently(() => api.post(`${PATH}/look`, { conversations: talks.map(glimpse) }), signal)
  if (!looked) return {}
  const { outcomes } = looked
  const coming = talks.filter((_, at) => outcomes[at]?.outcome === "imported")
  return carrier.bring(coming, signal, (ask) => patiently(ask, signal))
}

/** @param {Talk} talk */
const glimpse = ({ id, created_at, updated_at }) => ({ id, created_at, updated_at })

/** @param {Talk[]} talks @returns {Generator<{talks: Talk[], isTooLong: boolean}>} */
export function* partsOf(talks) {
  /** @type {Talk[]} */
  let part = []
  let [bytes, files] = [0, 0]
  for (const talk of talks) {
    const [own, named] = [new Blob([JSON.stringify(talk)]).size, namedBy([talk]).size]
    if (part.length > 0 && (bytes + own > USUAL_BYTES || part.length >= MOST_TALKS || files + named > MOST_CONTENTS)) {
      yield { talks: part, isTooLong: false }
      part = []
      bytes = files = 0
    }
    if (own > MOST_BYTES) yield { talks: [talk], isTooLong: true }
    else {
      part.push(talk)
      bytes += own
      files += named
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
  return { imported: 0, known: 0, too_old: 0, refused: 0, files: 0 }
}

/** @param {Sums} sums @param {{outcome: "imported" | "known" | "too_old" | "refused"}[]} outcomes */
function add(sums, outcomes) {
  for (const { outcome } of outcomes) sums[outcome]++
}
