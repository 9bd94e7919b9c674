// @ts-check
/** Messages form a tree; a page shows one branch of it, and remembers which way it went at each fork. */

/** @typedef {{id: string, parent_id: string | null, status?: string, text?: string}} Node */

const ROOT = ""

/** @template {Node} M */
export class Branches {
  /** @type {Map<string, M>} */
  #messages = new Map()
  /** Those that follow a message, the oldest first. @type {Map<string, M[]>} */
  #following = new Map()
  /** Which of them is shown. @type {Map<string, M>} */
  #ways = new Map()

  /** The branch of the newest message is shown. @param {M[]} [messages] the oldest first */
  constructor(messages = []) {
    for (const message of messages) this.#messages.set(message.id, message)
    for (const message of messages) this.#placeFor(message).push(message)
    for (const message of [...messages].reverse()) this.#leadTo(message, { over: false })
  }

  /** @param {string} id */
  get(id) {
    return this.#messages.get(id)
  }

  /** The shown branch, from its beginning. */
  get path() {
    /** @type {Set<M>} */
    const path = new Set()
    for (let at = this.#ways.get(ROOT); at && !path.has(at); at = this.#ways.get(at.id)) path.add(at)
    return [...path]
  }

  /** The last message that is shown, which the next one follows. */
  get leaf() {
    return this.path.at(-1) ?? null
  }

  /** Is what is shown what a page shows that knows of no choice? */
  get isNewest() {
    return this.leaf === [...this.#messages.values()].at(-1)
  }

  /** A new message is shown, unless it is known. @param {M} message */
  add(message) {
    if (this.#messages.has(message.id)) return
    this.#messages.set(message.id, message)
    this.#placeFor(message).push(message)
    this.#leadTo(message)
  }

  /** Shows the branch of this message, and below it what was seen there last. @param {string} id */
  choose(id) {
    const message = this.#messages.get(id)
    if (message) this.#leadTo(message)
  }

  /**
   * The message with those it stands beside, the oldest first. What failed without a word is left out, unless it is meant itself.
   * @param {string} id
   */
  siblings(id) {
    const message = this.#messages.get(id)
    const all = message ? this.#placeFor(message) : []
    return all.filter((other) => other === message || other.status !== "failed" || Boolean(other.text))
  }

  /** @param {M} message */
  #placeFor(message) {
    const parent = this.#parentOf(message)
    const place = this.#following.get(parent) ?? []
    this.#following.set(parent, place)
    return place
  }

  /** @param {M} message */
  #parentOf({ parent_id: parent }) {
    return parent !== null && this.#messages.has(parent) ? parent : ROOT
  }

  /** Where a way is set already, and not to be set anew, so are those above it. @param {M} message @param {{over?: boolean}} [how] */
  #leadTo(message, { over = true } = {}) {
    const met = new Set()
    for (let at = /** @type {M | undefined} */ (message); at && !met.has(at); ) {
      const parent = this.#parentOf(at)
      if (!over && this.#ways.has(parent)) return
      met.add(at)
      this.#ways.set(parent, at)
      at = this.#messages.get(parent)
    }
  }
}
