// @ts-check
/** A fence that is open: whatever comes is code, until a line closes it. What is known to be code is never looked at again. */

export class OpenFence {
  #closing
  #mayClose
  /** The beginning of a line that may yet close it. */
  #begun = ""
  #isInLine = false
  isOver = false

  /** @param {string} markup what opened it, of back ticks or tildes */
  constructor(markup) {
    const sign = markup.charAt(0)
    this.#closing = new RegExp(`^ {0,3}${sign}{${markup.length},}[ \\t]*$`)
    this.#mayClose = new RegExp(`^ {0,3}${sign}*[ \\t]*$`)
  }

  /** @param {string} text what follows what was taken before @returns {string} what of it is code for certain */
  take(text) {
    const lines = (this.#begun + text).split("\n")
    const last = lines.length - 1
    const end = lines.findIndex((line, at) => at < last && this.#begins(at) && this.#closing.test(line))
    this.isOver = end >= 0
    if (this.isOver) return lines.slice(0, end).map((line) => `${line}\n`).join("")
    const rest = lines[last] ?? ""
    this.#isInLine = !(this.#begins(last) && this.#mayClose.test(rest))
    this.#begun = this.#isInLine ? "" : rest
    if (!this.#isInLine) lines[last] = ""
    return lines.join("\n")
  }

  /** Is it the beginning of a line, the first of what has come? @param {number} at */
  #begins(at) {
    return at > 0 || !this.#isInLine
  }
}
