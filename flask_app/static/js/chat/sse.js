// @ts-check
/**
 * Server-sent events out of text that arrives in any pieces (WHATWG HTML, 9.2.6). A comment and an unfinished
 * event at the end yield nothing.
 */

/** @typedef {{id: string, name: string, data: string}} ServerEvent */

export class SseParser {
  #rest = ""
  #afterReturn = false
  #started = false
  #id = ""
  #name = ""
  /** @type {string[]} */
  #data = []

  /** @param {string} text @returns {ServerEvent[]} the events that this piece completed */
  push(text) {
    /** @type {ServerEvent[]} */
    const events = []
    for (const line of this.#lines(text)) {
      if (line === "") this.#dispatch(events)
      else this.#field(line)
    }
    return events
  }

  /** Lines end with LF, CR or CRLF; the two halves of a CRLF may come apart. @param {string} text */
  *#lines(text) {
    if (!this.#started && text) {
      this.#started = true
      if (text.startsWith("\uFEFF")) text = text.slice(1)
    }
    if (this.#afterReturn && text) {
      this.#afterReturn = false
      if (text.startsWith("\n")) text = text.slice(1)
    }
    const pieces = (this.#rest + text).split(/\r\n|\r|\n/)
    this.#rest = pieces.pop() ?? ""
    this.#afterReturn = text ? text.endsWith("\r") : this.#afterReturn
    yield* pieces
  }

  /** @param {string} line */
  #field(line) {
    const colon = line.indexOf(":")
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (name === "data") this.#data.push(value)
    else if (name === "event") this.#name = value
    else if (name === "id" && !value.includes("\0")) this.#id = value
  }

  /** @param {ServerEvent[]} events */
  #dispatch(events) {
    if (this.#data.length) events.push({ id: this.#id, name: this.#name || "message", data: this.#data.join("\n") })
    this.#name = ""
    this.#data = []
  }
}

/**
 * The events of a response's body as they arrive.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(reader: ReadableStreamDefaultReader<Uint8Array>) => Promise<ReadableStreamReadResult<Uint8Array>>} [read]
 */
export async function* serverEvents(body, read = (reader) => reader.read()) {
  const parser = new SseParser()
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await read(reader)
      if (done) return
      yield* parser.push(decoder.decode(value, { stream: true }))
    }
  } finally {
    await reader.cancel().catch(() => undefined) // the connection is gone already: nothing left to release
  }
}
