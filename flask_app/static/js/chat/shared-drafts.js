// @ts-check
/**
 * Drafts on all of a person's devices: what is written is kept on the server a moment after the last key and on leaving, and taken over
 * where somebody comes to a conversation, or back to the page. Loaded with the first conversation or word.
 */
import { ApiError, api, byteLength, inTime, isGone, request } from "app/api.js"
import { reactTo } from "app/ui.js"
import { Drafts } from "app/chat/writing.js"

const PAUSE = 1_000 // milliseconds after the last key
const MOST_ON_LEAVING = 60_000 // bytes: browsers refuse more from a page that is gone

/** @type {SharedDrafts | null} */
let shared = null

/** Those of the page. @param {import("app/chat/composer.js").Composer} composer @param {string | null} enclosed the place whose draft came with the page */
export function sharedDrafts(composer, enclosed) {
  shared ??= new SharedDrafts(composer, enclosed)
  return shared
}

export class SharedDrafts {
  #composer
  #drafts
  /** @type {string | null} */
  #place
  /** Where has been written here, and under which key the server may have it. @type {Map<string | null, string>} */
  #keys = new Map()
  /** One request after the other, so that none overtakes a newer one. @type {Promise<unknown>} */
  #line = Promise.resolve()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  /** @param {import("app/chat/composer.js").Composer} composer @param {string | null} enclosed @param {Drafts} [drafts] */
  constructor(composer, enclosed, drafts = new Drafts()) {
    this.#composer = composer
    this.#drafts = drafts
    this.#place = composer.place
    this.#keys.set(this.#place, drafts.storedOf(this.#place).key)
    composer.addEventListener("changed", () => this.#changed())
    reactTo(composer, { send: (outgoing) => this.#isSent(outgoing, false), wait: (outgoing) => this.#isSent(outgoing, true) })
    addEventListener("online", () => this.look())
    addEventListener("pagehide", () => this.#leave())
    document.addEventListener("visibilitychange", () => document.hidden && this.#leave())
    this.#changed()
    if (this.#place !== enclosed) this.#ask()
  }

  /** What is written here goes to the server, and what is written elsewhere comes from it. */
  look() {
    this.#save()
    return this.#ask()
  }

  #changed() {
    const { place } = this.#composer
    if (place !== this.#place) {
      this.#save()
      this.#place = place
      this.#ask()
    }
    if (this.#drafts.read(place)) this.#drafts.keyOf(place) // what a page notes as it is left may be lost
    if (!this.#keys.has(place)) this.#keys.set(place, this.#drafts.storedOf(place).key)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#save(), PAUSE)
  }

  /**
   * The message takes the server's draft along, where it has the same key; one that waits for its turn does so when it is asked.
   * @param {import("app/chat/composer.js").Outgoing} outgoing @param {boolean} waits
   */
  #isSent({ idempotencyKey }, waits) {
    const place = this.#composer.place
    const key = this.#keys.get(place)
    this.#keys.set(place, "")
    if (key && (waits || key !== idempotencyKey)) this.#inTurn(() => this.#put(place, { text: "", key }))
  }

  #save() {
    clearTimeout(this.#timer)
    this.#inTurn(async () => {
      for (const place of this.#unsaved()) await this.#keep(place)
    })
  }

  /** A page that is gone waits for nothing. */
  #leave() {
    clearTimeout(this.#timer)
    for (const place of this.#unsaved()) this.#keep(place).catch(() => undefined)
  }

  #unsaved() {
    return [...this.#keys.keys()].filter((place) => !this.#drafts.isStored(place))
  }

  /** @param {string | null} place */
  async #keep(place) {
    const draft = { text: this.#drafts.read(place), key: this.#drafts.keyOf(place) }
    const isStill = () => this.#drafts.storedOf(place).key === draft.key // else it was sent meanwhile
    this.#keys.set(place, draft.key)
    try {
      await this.#put(place, draft)
      if (isStill()) this.#drafts.store(place, draft.text ? draft : null)
    } catch (error) {
      const code = error instanceof ApiError ? error.code : ""
      if (code === "draft_sent" && isStill()) this.#drafts.store(place, { text: draft.text, key: "" }) // these words are not kept once more
      else if (code === "draft_elsewhere") this.#ask(place)
      else if (isGone(error)) this.#keys.delete(place)
      else throw error
    }
  }

  /** @param {string | null} place @param {import("app/chat/writing.js").Stored} draft */
  #put(place, draft) {
    const body = JSON.stringify(draft)
    const keepalive = byteLength(body) < MOST_ON_LEAVING
    return inTime((signal) => request(pathOf(place), { method: "PUT", body, keepalive, signal }))
  }

  /** @param {string | null} [place] */
  #ask(place = this.#composer.place) {
    return this.#inTurn(async () => {
      const { draft } = await inTime((signal) => api.get(pathOf(place), { signal }))
      if (this.#drafts.isSent(place, draft)) return this.#put(place, { text: "", key: draft.key })
      const words = this.#drafts.take(place, draft)
      this.#keys.set(place, this.#drafts.storedOf(place).key)
      if (this.#composer.place === place) this.#composer.write(words)
    })
  }

  /** What fails stays as it is: the next key, or coming back, tries again. @param {() => Promise<unknown>} act */
  #inTurn(act) {
    this.#line = this.#line.then(act).catch(() => undefined)
    return this.#line
  }
}

/** @param {string | null} place */
function pathOf(place) {
  return place ? `/api/conversations/${encodeURIComponent(place)}/draft` : "/api/draft"
}
