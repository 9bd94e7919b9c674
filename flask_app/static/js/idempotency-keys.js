// @ts-check
import { newIdempotencyKey } from "app/api.js"

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
