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

/** @param {string} text its size in bytes as the server counts it */
export function byteLength(text) {
  return new TextEncoder().encode(text).length
}

/** Keys for what is asked, by what it is: sent again because no reply came, the same thing keeps its key until it has begun. */
export class IdempotencyKeys {
  /** @type {Map<string, string>} */
  #kept = new Map()

  /** @param {object} asked */
  of(asked) {
    const name = JSON.stringify(asked)
    const key = this.#kept.get(name) ?? newIdempotencyKey()
    this.#kept.set(name, key)
    return key
  }

  /** It has begun, or its key is spent: asked again, it is something new. @param {object} asked */
  forget(asked) {
    this.#kept.delete(JSON.stringify(asked))
  }
}

/** Browsers with field-sizing do this by themselves. @param {HTMLTextAreaElement} area becomes as high as its text */
export function fitToText(area) {
  if (CSS.supports("field-sizing", "content")) return
  area.style.blockSize = "auto"
  area.style.blockSize = `${area.scrollHeight}px`
}

/**
 * What a person's tab notes of each conversation, for as long as it lives: unsent words, the chosen branch. Signing out clears
 * it; whoever signs in after a session that ended by itself does not see another's.
 */
export class ConversationNotes {
  #storage
  #place

  /** @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage @param {string} person @param {string} kind */
  constructor(storage, person, kind) {
    this.#storage = storage
    this.#place = `${kind}:${person}`
  }

  /** @param {string | null} conversation */
  read(conversation) {
    return this.#storage.getItem(this.#placeOf(conversation)) ?? ""
  }

  /** @param {string | null} conversation @param {string} text */
  keep(conversation, text) {
    if (!text) return this.#storage.removeItem(this.#placeOf(conversation))
    try {
      this.#storage.setItem(this.#placeOf(conversation), text)
    } catch (error) {
      console.warn("the note was not kept", error) // storage full: the words are still in the text area
    }
  }

  /** @param {string | null} conversation */
  #placeOf(conversation) {
    return `${this.#place}:${conversation ?? "new"}`
  }
}

/** Those of the page's person. @param {"draft" | "branch"} kind */
export function notesOf(kind) {
  return new ConversationNotes(sessionStorage, document.querySelector('meta[name="person"]')?.getAttribute("content") ?? "", kind)
}
