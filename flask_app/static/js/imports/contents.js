// @ts-check
/** What is in the files that conversations name, as far as the export has it: sent one by one, before the conversations that name them. */
import { ApiError, loaded } from "app/api.js"
import { listOf, objectOf } from "app/imports/kept-tree.js"
import { patiently } from "app/imports/patience.js"

/** @typedef {import("app/imports/kept-tree.js").Talk} Talk */
/** `read` gives it, or null where the export is broken there; `words`: it is a text. @typedef {{name: string, read: () => Promise<Blob | null>, words?: string}} Content */
/** By the ids that conversations name them by. @typedef {Map<string, Content>} Contents */
/** What names files. @typedef {{messages: {files?: {id: string, name: string}[]}[]}} Naming */

const MOST_MB = 20 // of one, as everywhere
const MOST_BYTES = 6_000_000 // of a part, with the texts that stand in its messages, where they cannot be files
const MOST_TOLD = 2_000 // of a part, as the server takes them
const LETTER = 4 // bytes that one may take
const NO_MORE = new Set(["files_off", "file_quota_full", "disk_full"])

/** The ids of the files of these conversations, whatever else stands in a file. @param {Naming[]} talks @returns {Set<string>} */
export const namedBy = (talks) => new Set(talks.flatMap(({ messages }) => messages.flatMap((said) => listOf(objectOf(said).files).map((file) => objectOf(file).id))))

export class Carrier {
  /** @readonly */
  contents
  /** What each has become here; null: it did not come. @type {Map<string, string | null>} */
  #here = new Map()
  /** Texts that came neither as files nor as words. */
  #without = new Set()
  #isOver = false

  /** @param {Contents} contents */
  constructor(contents) {
    this.contents = contents
  }

  get hasSome() {
    return this.contents.size > 0
  }

  /** How many did not come, though the export has them. */
  get left() {
    return this.#lost.length - this.#lostTexts + this.#without.size
  }

  get #lostTexts() {
    return this.#lost.filter((id) => this.contents.get(id)?.words).length
  }

  get #lost() {
    return [...this.#here].filter(([, id]) => id === null).map(([named]) => named)
  }

  /**
   * Those of these conversations, as the server wants them told; what cannot come is named alone. Throws what stands in the way of all.
   * @param {Naming[]} talks @param {AbortSignal} signal
   */
  async bring(talks, signal) {
    /** @type {Record<string, string>} */
    const told = {}
    let count = 0
    for (const id of namedBy(talks)) {
      const content = this.contents.get(id)
      if (!content || signal.aborted) continue
      if (!this.#here.has(id)) this.#here.set(id, count < MOST_TOLD ? await this.#send(content, signal) : null)
      const here = this.#here.get(id)
      if (here && count++ < MOST_TOLD) told[id] = here
    }
    return told
  }

  /** Texts that have not come stand behind the words of their questions: a part of them is no file here. @param {Talk[]} talks @returns {Talk[]} */
  withWords(talks) {
    if (!this.#lostTexts) return talks
    let room = (MOST_BYTES - new Blob([JSON.stringify(talks)]).size) / LETTER
    const place = (/** @type {Talk["messages"][number]} */ said) => {
      const texts = (said.files ?? []).filter(({ id }) => this.#here.get(id) === null && this.contents.get(id)?.words)
      const words = texts.map(({ id, name }) => `${name}\n\n${this.contents.get(id)?.words}`)
      const length = words.reduce((sum, each) => sum + each.length, 0)
      if (length > room) for (const { id } of texts) this.#without.add(id)
      if (!length || length > room) return said
      room -= length
      return { ...said, text: [said.text, ...words].filter(Boolean).join("\n\n"), files: said.files?.filter((file) => !texts.includes(file)) }
    }
    return talks.map((talk) => ({ ...talk, messages: talk.messages.map(place) }))
  }

  /** @param {Content} content @param {AbortSignal} signal @returns {Promise<string | null>} */
  async #send({ name, read }, signal) {
    const content = this.#isOver ? null : await read()
    if (!content) return null
    const { upload } = await loaded(import("app/chat/file-upload.js"))
    const file = new File([content], name) // without a type: it is sent as it is
    try {
      return (await patiently(() => upload(file, MOST_MB, { signal, progress: () => undefined }), signal))?.id ?? null
    } catch (error) {
      if (signal.aborted) return null
      if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 413 && error.status !== 422 && error.code !== "disk_full")) throw error
      this.#isOver ||= NO_MORE.has(error.code)
      return null
    }
  }
}
