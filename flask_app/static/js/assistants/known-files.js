// @ts-check
/** The documents that an assistant knows, in its form: brought in as files for messages are, listed with what each adds, taken out again. */
import { ApiError } from "app/api.js"
import { AttachedFiles } from "app/chat/attached-files.js"
import { FileChips } from "app/chat/file-chips.js"
import { addressOf } from "app/chat/file-list.js"
import { upload } from "app/chat/file-upload.js"
import { formatNumber, t } from "app/i18n.js"
import { must, reactTo, slot } from "app/ui.js"

/** @typedef {import("app/chat/file-upload.js").Facts} Known */
/** @typedef {{most: number, most_mb: number, whole_tokens: number, passage_tokens: number, may_add: boolean}} Limits */

const NOWHERE = { read: () => "", keep: () => undefined } // a form that is left is begun anew

export class KnownFiles {
  #limits
  #isShared
  #root
  #list
  #files
  #chips
  #opened = 0

  /** @param {HTMLFormElement} form @param {Limits} limits @param {{isShared: boolean}} options the words of a shared one's are nowhere to be read */
  constructor(form, limits, { isShared }) {
    this.#limits = limits
    this.#isShared = isShared
    this.#root = must(form, "[data-known]")
    this.#list = must(this.#root, "[data-known-list]")
    const server = { upload: (/** @type {File} */ file, /** @type {any} */ under) => uploaded(file, limits.most_mb, under), isThere: async () => true }
    this.#files = new AttachedFiles(limits.most, server, NOWHERE)
    this.#chips = new FileChips(this.#list)
    this.#listen(form)
    const numbers = { most: limits.most, whole: formatNumber(limits.whole_tokens), some: formatNumber(limits.passage_tokens) }
    slot(this.#root, "hint").textContent = t("js.assistants.known_hint", numbers)
  }

  /** @param {HTMLFormElement} form */
  #listen(form) {
    const input = /** @type {HTMLInputElement} */ (must(this.#root, "[data-known-input]"))
    const add = must(this.#root, "[data-known-add]")
    add.hidden = !this.#limits.may_add
    add.addEventListener("click", () => input.click())
    input.addEventListener("change", () => {
      this.#take([...(input.files ?? [])])
      input.value = "" // the same may be chosen again
    })
    for (const name of ["dragover", "drop"]) {
      form.addEventListener(name, (event) => {
        const { dataTransfer: dragged } = /** @type {DragEvent} */ (event)
        if (!dragged?.types.includes("Files")) return
        event.preventDefault() // the browser would leave the page for what is dropped
        if (name === "drop" && this.#limits.may_add) this.#take([...dragged.files])
      })
    }
    reactTo(this.#files, {
      changed: () => this.#draw(),
      progress: (file) => this.#chips.show(file),
      twice: ({ name }) => this.#note(t("js.files.twice", { name })),
    })
    reactTo(this.#chips, {
      remove: ({ key }) => this.#files.remove(key),
      again: ({ key }) => this.#files.again(key),
      emptied: () => add.focus(),
    })
  }

  /** The ids of those that are here, in their order. */
  get ids() {
    return this.#files.factsOf(this.#place).map(({ id }) => id)
  }

  /** Is one on its way? */
  get isComing() {
    return this.#files.isComing(this.#place)
  }

  /** What the form begins with; what was on its way for another is called off. @param {Known[]} files */
  set(files) {
    for (const { key } of this.#files.of(this.#place)) this.#files.remove(key)
    this.#opened++
    this.#note("")
    void this.#files.putFirst(this.#place, files)
    this.#draw()
  }

  get #place() {
    return String(this.#opened)
  }

  /** @param {File[]} files */
  #take(files) {
    const left = this.#files.add(this.#place, files)
    this.#note(left ? t("js.assistants.known_most", { most: this.#limits.most }) : "")
  }

  #draw() {
    const files = this.#files.of(this.#place)
    this.#chips.draw(files, new Map())
    for (const { key, facts } of this.#isShared ? [] : files) {
      const link = facts && this.#list.querySelector(`[data-key="${key}"] a`)
      if (link) Object.assign(link, { href: addressOf(facts.id), download: facts.name })
    }
    const tokens = this.#files.tokensIn(this.#place)
    const { whole_tokens: whole, passage_tokens: some } = this.#limits
    const numbers = { tokens: formatNumber(tokens), some: formatNumber(some) }
    slot(this.#root, "told").textContent = tokens ? t(`js.assistants.known_${tokens > whole ? "passages" : "whole"}`, numbers) : ""
  }

  /** @param {string} words */
  #note(words) {
    slot(this.#root, "note").textContent = words
  }
}

/** Pictures are none of it: told before they are sent, where the browser knows. @param {File} file @param {number} mostMb @param {import("app/chat/file-upload.js").Under} under */
async function uploaded(file, mostMb, under) {
  const facts = file.type.startsWith("image/") ? null : await upload(file, mostMb, under)
  if (!facts || facts.kind === "picture") throw new ApiError(422, { code: "known_picture", message: t("js.assistants.known_picture") })
  return facts
}
