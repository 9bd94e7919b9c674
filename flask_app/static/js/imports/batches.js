// @ts-check
/** Conversations in parts that the server takes one after the other; what is sent twice is written once. */
import { api } from "app/api.js"
import { bringIn, noSums as noneOfThem } from "app/imports/belongings.js"
import { Carrier, namedBy } from "app/imports/contents.js"
import { patiently } from "app/imports/patience.js"
import { MOST_BYTES, TOO_LONG, apart, sizeOf, tooMuch } from "app/imports/refused.js"

/** @typedef {import("app/imports/kept-tree.js").Talk} Talk */
/** @typedef {import("app/imports/shapes.js").Folder} Folder */
/** @typedef {import("app/imports/contents.js").Contents} Contents */
/** @typedef {import("app/imports/refused.js").Outcome} Outcome */
/** @typedef {import("app/imports/refused.js").Refusal} Refusal */
/** `files`: whose contents did not come, though the export has them. `refusals`: which conversations did not come in, and why. */
/** @typedef {{imported: number, continued: number, known: number, too_old: number, refused: number, files: number, refusals: Refusal[], belongings: import("app/imports/belongings.js").Sums}} Sums */

const PATH = "/api/conversations/import"
const USUAL_BYTES = 400_000 // of a part with several
const MOST_TALKS = 50
const MOST_CONTENTS = 1_000 // that a part names
const LOOKED_UP = 1000
const COMPARED = 200 // of those that are here, with the ids of their messages
const MOST_IDS = 20_000

/** What would become of them. Throws ApiError. @param {Talk[]} talks @param {Contents} contents @returns {Promise<Sums>} */
export async function look(talks, contents) {
  const sums = noSums()
  /** @type {Talk[]} */
  const known = []
  for (let at = 0; at < talks.length; at += LOOKED_UP) {
    const some = talks.slice(at, at + LOOKED_UP)
    const outcomes = (await beforehand(some, glimpse)).map((told, place) => promised(told, some[place]))
    known.push(...some.filter((_, place) => outcomes[place]?.outcome === "known"))
    add(sums, some, outcomes)
  }
  for (const some of compared(known)) {
    const { length } = (await beforehand(some, (talk) => closely(talk, contents))).filter(({ outcome }) => outcome === "continued")
    sums.continued += length
    sums.known -= length
  }
  return sums
}

/** Patient once: somebody waits to see it. @param {Talk[]} talks @param {(talk: Talk) => object} told @returns {Promise<Outcome[]>} */
async function beforehand(talks, told) {
  const { signal } = new AbortController()
  return (await apart(talks, (some) => patiently(() => asked(some, told), signal, 1))) ?? []
}

/** As many at once as can be compared. @param {Talk[]} talks @returns {Generator<Talk[]>} */
function* compared(talks) {
  /** @type {Talk[]} */
  let some = []
  let ids = 0
  for (const talk of talks) {
    if (some.length >= COMPARED || (some.length > 0 && ids + talk.messages.length > MOST_IDS)) {
      yield some
      some = []
      ids = 0
    }
    some.push(talk)
    ids += talk.messages.length
  }
  if (some.length > 0) yield some
}

/** What is too much is known before it is sent. @param {Outcome} told @param {Talk | undefined} talk @returns {Outcome} */
function promised(told, talk) {
  const code = talk && told.outcome === "imported" ? tooMuch(talk) : null
  return code ? { outcome: "refused", code } : told
}

/** @param {Talk[]} talks @param {(talk: Talk) => object} told @returns {Promise<Outcome[]>} */
const asked = async (talks, told) => (await api.post(`${PATH}/look`, { conversations: talks.map(told) })).outcomes

/**
 * Sends them, until `signal` says to stop. Throws ApiError; what has come in by then stays.
 * @param {Pick<import("app/imports/shapes.js").Found, "talks" | "folders" | "contents" | "belongings">} found @param {(done: number, sums: Sums) => void} tell @param {AbortSignal} signal
 */
export async function send({ talks, folders, contents, belongings = [] }, tell, signal) {
  const sums = noSums()
  const carrier = new Carrier(contents)
  let done = belongings.length
  if (done > 0) {
    sums.belongings = await bringIn(belongings, carrier, signal) // first: conversations find their assistants
    tell(done, sums)
  }
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

/** The contents of the files of those that are not there yet, or not whole. @param {Carrier} carrier @param {Talk[]} talks @param {AbortSignal} signal */
async function brought(carrier, talks, signal) {
  if (!namedBy(talks).size) return {}
  const outcomes = await apart(talks, (some) => patiently(() => asked(some, (talk) => closely(talk, carrier.contents)), signal))
  if (!outcomes) return {}
  const coming = talks.filter((_, at) => outcomes[at]?.outcome === "imported" || outcomes[at]?.outcome === "continued")
  return carrier.bring(coming, signal)
}

/** @param {Talk} talk */
const glimpse = ({ id, created_at, updated_at }) => ({ id, created_at, updated_at })

/** With what it has, so that it is told whether there is something new. @param {Talk} talk @param {Contents} contents */
function closely(talk, contents) {
  const filled = talk.messages.filter(({ files }) => files?.some(({ id }) => contents.has(id)))
  return { ...glimpse(talk), messages: talk.messages.map(({ id }) => id), filled: filled.map(({ id }) => id) }
}

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

/** @returns {Sums} */
function noSums() {
  return { imported: 0, continued: 0, known: 0, too_old: 0, refused: 0, files: 0, refusals: [], belongings: noneOfThem() }
}

/** @param {Sums} sums @param {Talk[]} talks @param {Outcome[]} outcomes of these */
function add(sums, talks, outcomes) {
  for (const [place, { outcome, code }] of outcomes.entries()) {
    sums[outcome]++
    if (outcome === "refused" || outcome === "too_old") sums.refusals.push({ title: String(talks[place]?.title ?? ""), code: code ?? outcome })
  }
}
