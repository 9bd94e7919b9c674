// @ts-check
/** Prompts and assistants of the file of everything of one's own: lines of JSON, sent before the conversations that name them. */
import { api } from "app/api.js"
import { listOf, objectOf, textOf } from "app/imports/kept-tree.js"
import { patiently } from "app/imports/patience.js"
import { apart, sizeOf } from "app/imports/refused.js"

/** @typedef {{kind: "prompts" | "assistants", title: string, told: {id: string, [field: string]: unknown}, files: {id: string, name: string}[]}} Belonging */
/** @typedef {{imported: Record<Belonging["kind"], number>, known: number, lacking: number, refusals: import("app/imports/refused.js").Refusal[]}} Sums */
/** @typedef {{outcome: "imported" | "known" | "refused", code: string | null, lacks: boolean}} Outcome */

const PATH = "/api/me/import"
const NAMED = /(?:^|\/)(prompts|assistants)\.jsonl$/
const MOST_LINES = 2_000 // of a file: more than anybody can keep
const MOST_BYTES = 2_000_000 // of a part
const MOST_AT_ONCE = 100
const FIELDS = { prompts: ["command", "title", "text"], assistants: ["name", "icon", "instructions", "model", "thinking"] }
const MOMENTS = ["created_at", "updated_at"]
const UNREAD = "import_broken"

/** Which of them a file of this name has. @param {string} name @returns {Belonging["kind"] | null} */
export const kindOf = (name) => /** @type {Belonging["kind"] | null} */ (NAMED.exec(name)?.[1] ?? null)

/** What stands in its lines; one that says nothing that is known is told as it is, for the server to refuse. @param {Belonging["kind"]} kind @param {string} text @returns {Belonging[]} */
export function belongingsIn(kind, text) {
  const lines = text.split("\n", MOST_LINES).filter((line) => line.trim())
  return lines.map((line) => {
    const read = objectOf(parsed(line))
    const files = listOf(read.files).map(objectOf).map(({ id, name }) => ({ id: textOf(id), name: textOf(name) }))
    const told = Object.fromEntries(["id", ...FIELDS[kind], ...MOMENTS].map((field) => [field, read[field]]))
    const title = kind === "prompts" ? `/${textOf(read.command)}` : textOf(read.name)
    return { kind, title, told: { id: textOf(read.id), ...told, ...(kind === "assistants" ? { files } : {}) }, files }
  })
}

/** @param {string} line @returns {unknown} */
function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

/** What would become of them: patient once, somebody waits to see it. Throws ApiError. @param {Belonging[]} belongings */
export async function lookAt(belongings) {
  const { signal } = new AbortController()
  return each(belongings, (some) => patiently(() => api.post(`${PATH}/look`, bodyOf(some)), signal, 1))
}

/**
 * Sends them, behind what is in the documents of those that are not here yet, until `signal` says to stop. Throws ApiError; what has come in stays.
 * @param {Belonging[]} belongings @param {import("app/imports/contents.js").Carrier} carrier @param {AbortSignal} signal
 */
export async function bringIn(belongings, carrier, signal) {
  return each(belongings, async (some) => {
    const looked = some.some(({ files }) => files.length > 0) ? await patiently(() => api.post(`${PATH}/look`, bodyOf(some)), signal) : null
    const coming = looked ? some.filter((_, place) => outcomesOf(looked)[place]?.outcome === "imported") : []
    const contents = await carrier.bring(coming.map(({ files }) => ({ messages: [{ files }] })), signal)
    return signal.aborted ? null : patiently(() => api.post(PATH, { ...bodyOf(some), contents }), signal)
  })
}

/** @param {Belonging[]} belongings @param {(some: Belonging[]) => Promise<any>} ask null: it was called off @returns {Promise<Sums>} */
async function each(belongings, ask) {
  const sums = noSums()
  for (const part of partsOf(belongings)) {
    const outcomes = await apart(part, async (some) => {
      const reply = await ask(some)
      return reply && outcomesOf(reply)
    })
    if (!outcomes) break
    for (const [place, one] of part.entries()) add(sums, one, outcomes[place])
  }
  return sums
}

/** Prompts before assistants, as the server tells them. @param {Belonging[]} belongings @returns {Generator<Belonging[]>} */
function* partsOf(belongings) {
  /** @type {Belonging[]} */
  let part = []
  let bytes = 0
  for (const one of [...ofKind(belongings, "prompts"), ...ofKind(belongings, "assistants")]) {
    const own = sizeOf(one.told)
    if (part.length > 0 && (bytes + own > MOST_BYTES || part.length >= MOST_AT_ONCE)) {
      yield part
      part = []
      bytes = 0
    }
    part.push(one)
    bytes += own
  }
  if (part.length > 0) yield part
}

/** @param {Belonging[]} some */
function bodyOf(some) {
  const told = (/** @type {Belonging["kind"]} */ kind) => ofKind(some, kind).map((one) => one.told)
  return { prompts: told("prompts"), assistants: told("assistants") }
}

/** In the order of a part. @param {{prompts: Outcome[], assistants: Outcome[]}} reply */
const outcomesOf = ({ prompts, assistants }) => [...prompts, ...assistants]

/** @param {Belonging[]} belongings @param {Belonging["kind"]} kind */
const ofKind = (belongings, kind) => belongings.filter((one) => one.kind === kind)

/** @returns {Sums} */
export const noSums = () => ({ imported: { prompts: 0, assistants: 0 }, known: 0, lacking: 0, refusals: [] })

/** @param {Sums} sums @param {Belonging} one @param {Outcome | import("app/imports/refused.js").Outcome | undefined} told */
function add(sums, { kind, title }, told) {
  if (told?.outcome === "imported") sums.imported[kind]++
  if (told?.outcome === "known") sums.known++
  if (told?.outcome === "refused") sums.refusals.push({ title, code: told.code ?? UNREAD })
  if (told && "lacks" in told && told.lacks) sums.lacking++
}
