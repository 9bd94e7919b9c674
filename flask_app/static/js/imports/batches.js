// @ts-check
/** Conversations in parts that the server takes one after the other; what is sent twice is written once. */
import { ApiError, api } from "app/api.js"
import { Carrier, namedBy } from "app/imports/contents.js"
import { MOST_BYTES, TOO_LONG, apart, sizeOf, tooMuch } from "app/imports/refused.js"

/** @typedef {import("app/imports/kept-tree.js").Talk} Talk */
/** @typedef {import("app/imports/shapes.js").Folder} Folder */
/** @typedef {import("app/imports/refused.js").Outcome} Outcome */
/** @typedef {import("app/imports/refused.js").Refusal} Refusal */
/** `files`: whose contents did not come, though the export has them. `refusals`: which did not come in, and why. */
/** @typedef {{imported: number, known: number, too_old: number, refused: number, files: number, refusals: Refusal[]}} Sums */

const PATH = "/api/conversations/import"
const USUAL_BYTES = 400_000 // of a part with several
const MOST_TALKS = 50
const MOST_CONTENTS = 1_000 // that a part names
const LOOKED_UP = 1000
const MOST_WAITS = 20 // for a server that has had enough for a while

/** What would become of them. Throws ApiError. @param {Talk[]} talks @returns {Promise<Sums>} */
export async function look(talks) {
  const sums = noSums()
  const { signal } = new AbortController()
  for (let at = 0; at < talks.length; at += LOOKED_UP) {
    const some = talks.slice(at, at + LOOKED_UP)
    const outcomes = await apart(some, (few) => patiently(() => asked(few), signal, 1))
    add(sums, some, (outcomes ?? []).map((told, place) => beforehand(told, some[place])))
  }
  return sums
}

/** What is too much is known before it is sent. @param {Outcome} told @param {Talk | undefined} talk @returns {Outcome} */
function beforehand(told, talk) {
  const code = talk && told.outcome === "imported" ? tooMuch(talk) : null
  return code ? { outcome: "refused", code } : told
}

/** @param {Talk[]} talks @returns {Promise<Outcome[]>} */
const asked = async (talks) => (await api.post(`${PATH}/look`, { conversations: talks.map(glimpse) })).outcomes

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
    if (part.isTooLong) add(sums, part.talks, [{ outcome: "refused", code: TOO_LONG }])
    else {
      const here = carrier.hasSome ? await brought(carrier, part.talks, signal) : {}
      const contents = Object.keys(here).length ? { contents: here } : {}
      const outcomes = await apart(part.talks, async (some) => {
        const body = { ...bodyOf(carrier.withWords(some), folders), ...contents }
        return signal.aborted ? null : ((await patiently(() => api.post(PATH, body), signal))?.outcomes ?? null)
      })
      if (!outcomes) break
      add(sums, part.talks, outcomes)
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
  const outcomes = await apart(talks, (some) => patiently(() => asked(some), signal))
  if (!outcomes) return {}
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
    const [own, named] = [sizeOf(talk), namedBy([talk]).size]
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

/** Null where `signal` came while it waited to ask again. @template T @param {() => Promise<T>} ask @param {AbortSignal} signal @param {number} [most] waits */
async function patiently(ask, signal, most = MOST_WAITS) {
  for (let waits = 0; ; waits++) {
    try {
      return await ask()
    } catch (error) {
      const seconds = error instanceof ApiError ? error.retryAfter : null
      if (seconds === null || waits >= most) throw error
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
  return { imported: 0, known: 0, too_old: 0, refused: 0, files: 0, refusals: [] }
}

/** @param {Sums} sums @param {Talk[]} talks @param {Outcome[]} outcomes of these */
function add(sums, talks, outcomes) {
  for (const [place, { outcome, code }] of outcomes.entries()) {
    sums[outcome]++
    if (outcome === "refused" || outcome === "too_old") sums.refusals.push({ title: String(talks[place]?.title ?? ""), code: code ?? outcome })
  }
}
