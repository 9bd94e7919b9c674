// @ts-check
/**
 * The files that are to go along with what is written, in each conversation: on their way, here, or refused. Those that are here are noted
 * by the tab, as drafts are. Emits "changed", "progress" with one of them, "arrived" and "refused" with one, "twice" {name}: it is attached
 * already, "over": there were more than go with a message, and "gone" {names}: the server has them no more.
 */
import { ApiError, isAway, newIdempotencyKey } from "app/api.js"
import { tellings } from "app/chat/telling.js"
import { notesOf } from "app/chat/writing.js"

const AT_ONCE = 2 // as many as the server reads of one process
const MOST_WAITS = 5 // for a server that is busy with others' files
const SECOND = 1_000

/** @typedef {import("app/chat/file-upload.js").Facts} Facts what the server says of one */
/** @typedef {import("app/chat/file-list.js").MessageFile} MessageFile */
/**
 * @typedef {object} Attached
 * @property {string} key
 * @property {string} name
 * @property {number} bytes
 * @property {"waiting" | "coming" | "here" | "refused"} state
 * @property {number} share of it that is uploaded
 * @property {File | null} file none where the page was loaded since it was chosen
 * @property {Facts | null} facts
 * @property {unknown} error
 * @property {boolean} stays it went with a message, and goes with the next: it is searched for each
 * @property {AbortController} leaving
 */
/**
 * @typedef {object} Server
 * @property {(file: File, under: import("app/chat/file-upload.js").Under) => Promise<Facts>} upload
 * @property {(id: string) => Promise<boolean>} isThere
 * @property {(milliseconds: number) => Promise<unknown>} [pause]
 * @property {number} [searchTokens] that all passages of a question have at most
 */

/** May it come if it is tried again? @param {unknown} error */
export const mayComeYet = (error) => isAway(error) || (error instanceof ApiError && error.status === 429)

export class AttachedFiles extends EventTarget {
  #most
  #server
  #notes
  /** @type {Map<string | null, Attached[]>} */
  #lists = new Map()
  /** @type {import("app/chat/telling.js").Room} */
  #room = { window: null, left: null }

  /** @param {number} most of them with one message @param {Server} server @param {Pick<import("app/chat/writing.js").ConversationNotes, "read" | "keep">} notes */
  constructor(most, server, notes = notesOf("files")) {
    super()
    this.#most = most
    this.#server = server
    this.#notes = notes
  }

  /** @param {string | null} place @returns {Attached[]} */
  of(place) {
    const known = this.#lists.get(place)
    return known ?? this.#fit(place, JSON.parse(this.#notes.read(place) || "[]").map(kept))
  }

  /** Those that are here, with how they are told where that is not whole. @param {string | null} place @returns {Facts[]} */
  factsOf(place) {
    return [...this.tellings(place)].map(([{ facts }, { how, pages, tokens }]) => {
      const file = /** @type {Facts} */ (facts)
      if (how === "search") return { ...file, told: how, told_pages: null, tokens, whole_tokens: file.tokens }
      return how === "whole" ? file : { ...file, told: how, told_pages: pages }
    })
  }

  /** How each that is here is told. @param {string | null} place */
  tellings(place) {
    const here = this.of(place).filter(({ facts }) => facts)
    const told = tellings(here.map(({ facts }) => /** @type {Facts} */ (facts)), this.#room, this.#server.searchTokens)
    return new Map(told.map((telling, at) => [/** @type {Attached} */ (here[at]), telling]))
  }

  /** Of how much the model reads, and of what of that is left, depends what is told whole. @param {import("app/chat/telling.js").Room} room */
  fitInto(room) {
    if (room.window === this.#room.window && room.left === this.#room.left) return
    this.#room = room
    this.#tell("changed")
  }

  /** The person says how one is told. @param {string} key @param {import("app/chat/telling.js").How} how @param {string} pages */
  tellAs(key, how, pages) {
    const [place, attached] = [this.#placeOf(key), this.#find(key)]
    if (place === undefined || !attached?.facts) return
    attached.facts = { ...attached.facts, told: how, told_pages: pages || null }
    this.#change(place, this.of(place))
  }

  /** Is something here that is a message without a word? What is searched is so for words. @param {string | null} place */
  has(place) {
    return [...this.tellings(place)].some(([{ stays }, { how }]) => !stays && how !== "search")
  }

  /** Is something on its way? @param {string | null} place */
  isComing(place) {
    return this.of(place).some(({ state }) => state === "waiting" || state === "coming")
  }

  /** What they add to the next message, about. @param {string | null} place */
  tokensIn(place) {
    return [...this.tellings(place).values()].reduce((sum, { tokens }) => sum + tokens, 0)
  }

  /** Is there a picture among them? @param {string | null} place */
  hasPicture(place) {
    return this.of(place).some(isPicture)
  }

  /** As many as there is room for; gives how many were left out. @param {string | null} place @param {File[]} files */
  add(place, files) {
    const there = this.of(place)
    const room = Math.max(0, this.#most - there.filter(({ state }) => state !== "refused").length)
    const added = files.slice(0, room).map(chosen)
    this.#change(place, [...there, ...added])
    this.#begin()
    return files.length - added.length
  }

  /** @param {string} key of one that was refused */
  again(key) {
    const attached = this.#find(key)
    if (!attached?.file || attached.state !== "refused") return
    Object.assign(attached, { state: "waiting", share: 0, error: null })
    this.#tell("changed")
    this.#begin()
  }

  /** Takes it out again; one that is on its way is called off. The server keeps it for a day: another draft may have it. @param {string} key */
  remove(key) {
    const [place, attached] = [this.#placeOf(key), this.#find(key)]
    if (place === undefined || !attached) return
    attached.leaving.abort()
    this.#change(place, this.of(place).filter((each) => each !== attached))
    this.#begin()
  }

  /** They have been sent. One that was refused is still to be tried again, or was not seen to be; one that is searched goes with the next message too. @param {string | null} place */
  leave(place) {
    for (const [attached, { how }] of this.tellings(place)) {
      attached.stays = how === "search"
      if (attached.facts && attached.stays) attached.facts = { ...attached.facts, told: how }
    }
    this.#change(place, this.of(place).filter(({ state, stays }) => stays || state === "refused"))
  }

  /** To what is written elsewhere, before it; says whether any were new. @param {string | null} from @param {string | null} to */
  move(from, to) {
    const moved = this.of(from)
    if (!moved.length || from === to) return false
    this.#change(to, this.#fit(to, [...moved, ...this.of(to)])) // first there: what is shown of them stays
    this.#change(from, [])
    return moved.some(({ stays }) => !stays)
  }

  /** Those of a message that was not taken, before the others; whether they are still there is asked. @param {string | null} place @param {(MessageFile & {tokens?: number})[]} files */
  putFirst(place, files) {
    const others = this.of(place).filter(({ facts, stays }) => !stays || !files.some(({ id }) => id === facts?.id))
    this.#change(place, this.#fit(place, [...files.map(kept), ...others]))
    return this.check(place)
  }

  /** Those that the server has no more are gone here too. @param {string | null} place */
  async check(place) {
    const asked = this.of(place).filter(({ facts }) => facts)
    const answers = await Promise.all(asked.map(({ facts }) => this.#server.isThere(facts?.id ?? "").catch(() => true)))
    const gone = new Set(asked.filter((_, index) => !answers[index]))
    const left = this.of(place).filter((each) => !gone.has(each))
    if (left.length === this.of(place).length) return
    this.#change(place, left)
    this.#tell("gone", { names: [...gone].map(({ name }) => name) })
  }

  /** None is there twice, and no more than go with one message: what is over is told of. @param {string | null} place @param {Attached[]} list */
  #fit(place, list) {
    const once = list.filter(({ facts }, at) => !facts || !list.slice(at + 1).some((other) => other.facts?.id === facts.id))
    let room = this.#most
    const fitting = once.filter(({ state }) => state === "refused" || room-- > 0)
    this.#lists.set(place, fitting)
    for (const { leaving } of once.filter((each) => !fitting.includes(each))) leaving.abort()
    if (fitting.length < once.length) this.#tell("over")
    return fitting
  }

  #begin() {
    const all = [...this.#lists.values()].flat()
    const free = AT_ONCE - all.filter(({ state }) => state === "coming").length
    for (const attached of all.filter(({ state }) => state === "waiting").slice(0, Math.max(0, free))) this.#bring(attached)
  }

  /** @param {Attached} attached */
  async #bring(attached) {
    attached.state = "coming"
    this.#tell("changed")
    try {
      const facts = await this.#uploaded(attached)
      if (!attached.leaving.signal.aborted) this.#arrived(attached, facts)
    } catch (error) {
      if (!attached.leaving.signal.aborted) this.#refused(attached, error)
    }
    this.#begin()
  }

  /** A server that has its hands full says when to come again. @param {Attached} attached @returns {Promise<Facts>} */
  async #uploaded(attached) {
    const { file, leaving } = attached
    const progress = (/** @type {number} */ share) => {
      attached.share = share
      this.#tell("progress", attached)
    }
    for (let waits = 0; ; waits++) {
      try {
        return await this.#server.upload(/** @type {File} */ (file), { signal: leaving.signal, progress })
      } catch (error) {
        const pause = error instanceof ApiError && error.status === 503 ? error.retryAfter : null
        if (!pause || waits >= MOST_WAITS || leaving.signal.aborted) throw error
        await (this.#server.pause ?? sleep)(pause * SECOND)
        leaving.signal.throwIfAborted()
      }
    }
  }

  /** The same content from the same person is the same file. @param {Attached} attached @param {Facts} facts */
  #arrived(attached, facts) {
    const place = this.#placeOf(attached.key)
    if (place === undefined) return
    const isTwice = this.factsOf(place).some(({ id }) => id === facts.id)
    if (!isTwice) Object.assign(attached, { state: "here", share: 1, facts, name: facts.name, bytes: facts.bytes })
    this.#change(place, this.of(place).filter((each) => each !== attached || !isTwice))
    if (isTwice) this.#tell("twice", { name: attached.name })
    else this.#tell("arrived", attached)
  }

  /** @param {Attached} attached @param {unknown} error */
  #refused(attached, error) {
    Object.assign(attached, { state: "refused", error })
    this.#tell("changed")
    this.#tell("refused", attached)
  }

  /** @param {string} key */
  #placeOf(key) {
    return [...this.#lists].find(([, list]) => list.some((each) => each.key === key))?.[0]
  }

  /** @param {string} key */
  #find(key) {
    return [...this.#lists.values()].flat().find((each) => each.key === key)
  }

  /** @param {string | null} place @param {Attached[]} list */
  #change(place, list) {
    this.#lists.set(place, list)
    const noted = list.flatMap(({ facts, stays }) => (facts ? { ...facts, ...(stays ? { stays } : {}) } : []))
    this.#notes.keep(place, noted.length ? JSON.stringify(noted) : "")
    this.#tell("changed")
  }

  /** @param {string} name @param {unknown} [detail] */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

/** @param {Attached} attached */
export const isPicture = ({ file, facts }) => (facts ? facts.kind === "picture" : (file?.type.startsWith("image/") ?? false))

/** @param {File} file @returns {Attached} */
const chosen = (file) => ({ ...BLANK, ...fresh(), name: file.name, bytes: file.size, state: "waiting", file })

/** Of one that was sent before it is not known what it adds. @param {MessageFile & {stays?: boolean}} noted @returns {Attached} */
function kept({ stays = false, whole_tokens: whole, ...file }) {
  const facts = { ...file, tokens: whole ?? file.tokens ?? 0 }
  return { ...BLANK, ...fresh(), name: file.name, bytes: file.bytes, state: "here", share: 1, facts, stays }
}

const fresh = () => ({ key: newIdempotencyKey(), leaving: new AbortController() })
const BLANK = { share: 0, file: null, facts: null, error: null, stays: false }

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
