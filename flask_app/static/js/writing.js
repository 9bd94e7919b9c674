// @ts-check
/** What happens under the fingers: which key sends, and what keeps unsent words. */

/**
 * Whether this key press sends the message. An input method's Enter never does: while it composes, browsers say
 * isComposing; Safari ends the composition first and then reports the same press with key code 229.
 * @param {{key: string, shiftKey: boolean, altKey: boolean, isComposing: boolean, keyCode: number, repeat: boolean}} press
 */
export function sendsMessage({ key, shiftKey, altKey, isComposing, keyCode, repeat }) {
  return key === "Enter" && !shiftKey && !altKey && !isComposing && keyCode !== 229 && !repeat
}

/** A random key for one send, the same on every retry. getRandomValues works on plain http too. */
export function newIdempotencyKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** @param {string} text @param {string | null} model @returns {import("app/composer").Outgoing} */
export function asOutgoing(text, model) {
  return { text, model: model ?? undefined, idempotencyKey: newIdempotencyKey() }
}

/** @param {string} text its size in bytes as the server counts it */
export function byteLength(text) {
  return new TextEncoder().encode(text).length
}

/**
 * A person's unsent words, one draft a conversation, for as long as the tab lives. Signing out clears them; whoever signs in
 * after a session that ended by itself does not see those of another.
 */
export class Drafts {
  #storage
  #person

  /** @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage @param {string} person */
  constructor(storage, person) {
    this.#storage = storage
    this.#person = person
  }

  /** @param {string | null} conversation */
  read(conversation) {
    return this.#storage.getItem(this.#place(conversation)) ?? ""
  }

  /** @param {string | null} conversation @param {string} text */
  keep(conversation, text) {
    if (!text) return this.#storage.removeItem(this.#place(conversation))
    try {
      this.#storage.setItem(this.#place(conversation), text)
    } catch (error) {
      console.warn("the draft was not kept", error) // storage full: the words are still in the text area
    }
  }

  /** @param {string | null} conversation */
  #place(conversation) {
    return `draft:${this.#person}:${conversation ?? "new"}`
  }
}
