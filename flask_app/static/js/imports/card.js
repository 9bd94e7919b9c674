// @ts-check
/** The card by which conversations come in: files are read here, shown in numbers, and sent once its reader wants that. */
import { formatNumber, formatSpan, sentence, t } from "app/i18n.js"
import { look, send } from "app/imports/batches.js"
import { lookAt } from "app/imports/belongings.js"
import { namedBy } from "app/imports/contents.js"
import { timeOf } from "app/imports/kept-tree.js"
import { readAll } from "app/imports/file.js"
import { linesOf } from "app/imports/refusal-lines.js"
import { Unreadable } from "app/imports/shapes.js"
import { announce, fill, must } from "app/ui.js"

/** @typedef {import("app/imports/shapes.js").Found} Found */

const STATES = ["choosing", "found", "going"]
const ROWS = /** @type {const} */ (["prompts", "assistants", "kept", "lacking", "files", "named", "continued", "known", "too_old", "refused", "empty", "tools", "pictures", "other"])

export class ImportCard {
  #root
  #file
  #problem
  /** @type {Found | null} */
  #found = null
  #leave = new AbortController()

  /** @param {HTMLElement} root [data-import] */
  constructor(root) {
    this.#root = root
    this.#file = /** @type {HTMLInputElement} */ (must(root, "[data-import-file]"))
    this.#problem = must(root, "[data-import-problem]")
    this.#file.addEventListener("change", () => this.read())
    must(root, "[data-import-begin]").addEventListener("click", () => this.#send())
    must(root, "[data-import-cancel]").addEventListener("click", () => this.#drop())
    must(root, "[data-stop]").addEventListener("click", () => this.#leave.abort())
  }

  /** @param {boolean} takesFocus */
  #begin(takesFocus) {
    this.#found = null
    this.#file.value = ""
    this.#show("choosing")
    if (takesFocus) this.#file.focus()
  }

  #drop() {
    this.#name([])
    this.#begin(true)
  }

  async read() {
    const files = [...(this.#file.files ?? [])]
    if (!files.length) return
    this.#say("")
    this.#name([])
    this.#tell(t("js.portability.reading"))
    this.#file.disabled = true
    try {
      this.#found = await readAll(files)
      await this.#preview(this.#found)
    } catch (error) {
      this.#file.disabled = false
      this.#begin(document.activeElement === document.body) // what is disabled loses the focus
      this.#say(error instanceof Unreadable ? t(`js.portability.${error.code}`, error.params) : sentence(error))
    }
    this.#file.disabled = false
    this.#tell("")
  }

  /** @param {Found} found */
  async #preview({ source, talks, empty, contents, left, unread, belongings = [] }) {
    const { imported, continued, known, too_old, refused, refusals } = await look(talks, contents)
    const own = await lookAt(belongings)
    const coming = imported + continued + own.imported.prompts + own.imported.assistants
    this.#name([...unread, ...refusals, ...own.refusals])
    const began = talks.flatMap(({ created_at: at }) => timeOf(at) ?? []).sort()
    const messages = talks.reduce((sum, talk) => sum + talk.messages.length, 0)
    const files = [...namedBy(talks)].filter((id) => contents.has(id)).length
    const beside = { ...own.imported, kept: own.known, lacking: own.lacking }
    const counts = { ...beside, files, named: namedBy(talks).size - files, continued, known, too_old, refused, empty, ...left }
    fill(this.#root, {
      source,
      conversations: formatNumber(talks.length),
      messages: formatNumber(messages),
      span: began.length > 0 ? formatSpan(began[0] ?? "", began.at(-1) ?? "") : "–",
      ...Object.fromEntries(ROWS.map((name) => [name, formatNumber(counts[name])])),
    })
    for (const row of this.#root.querySelectorAll("[data-row]")) {
      const count = counts[/** @type {keyof typeof counts} */ (row.getAttribute("data-row"))]
      if (count !== undefined) /** @type {HTMLElement} */ (row).hidden = count === 0
    }
    const begin = /** @type {HTMLButtonElement} */ (must(this.#root, "[data-import-begin]"))
    begin.textContent = t("js.portability.bring_in", { count: formatNumber(coming) })
    begin.disabled = coming === 0
    this.#show("found")
    must(this.#root, "[data-import-found]").focus()
  }

  async #send() {
    if (!this.#found) return
    this.#leave = new AbortController()
    this.#show("going")
    must(this.#root, "[data-stop]").focus()
    const expected = this.#found.talks.length + (this.#found.belongings?.length ?? 0)
    this.#progress(0, expected)
    addEventListener("beforeunload", hold)
    try {
      const sums = await send(this.#found, (done) => this.#progress(done, expected), this.#leave.signal)
      this.#name([...sums.refusals, ...sums.belongings.refusals])
      const words = { count: formatNumber(sums.imported), known: formatNumber(sums.known), refused: formatNumber(sums.refused + sums.too_old) }
      const continued = sums.continued ? ` ${t("js.portability.continued", { count: formatNumber(sums.continued) })}` : ""
      const left = sums.files ? ` ${t("js.portability.files_left", { count: formatNumber(sums.files) })}` : ""
      const beside = this.#found.belongings?.length ? besideOf(sums.belongings) : ""
      this.#tell(t(this.#leave.signal.aborted ? "js.portability.brought_in_part" : "js.portability.brought_in", words) + continued + left + beside)
      this.#begin(true)
    } catch (error) {
      this.#say(sentence(error))
      this.#show("found")
    }
    removeEventListener("beforeunload", hold)
  }

  /** @param {number} done @param {number} expected */
  #progress(done, expected) {
    const bar = /** @type {HTMLProgressElement} */ (must(this.#root, "progress"))
    bar.max = expected
    bar.value = done
    must(this.#root, "[data-so-far]").textContent = t("js.records.download_of", { count: formatNumber(done), expected: formatNumber(expected) })
  }

  /** @param {string} state */
  #show(state) {
    for (const each of STATES) must(this.#root, `[data-import-${each}]`).hidden = each !== state
  }

  /** Which do not come in, and why. @param {import("app/imports/refused.js").Refusal[]} refusals */
  #name(refusals) {
    const list = must(this.#root, "[data-import-refused]")
    list.hidden = refusals.length === 0
    must(list, "[data-import-names]").replaceChildren(
      ...linesOf(refusals).map((words) => {
        const item = document.createElement("li")
        item.textContent = words
        return item
      }),
    )
  }

  /** What was wrong. @param {string} words */
  #say(words) {
    this.#problem.textContent = words
    this.#problem.hidden = !words
  }

  /** @param {string} words */
  #tell(words) {
    const place = must(this.#root, "[data-import-said]")
    place.textContent = words
    place.hidden = !words
    if (words) announce(words)
  }
}

/** What is told of prompts and assistants. @param {import("app/imports/belongings.js").Sums} sums */
function besideOf({ imported: { prompts, assistants }, lacking }) {
  const came = ` ${t("js.portability.belongings", { prompts: formatNumber(prompts), assistants: formatNumber(assistants) })}`
  return lacking ? `${came} ${t("js.portability.lacking", { count: formatNumber(lacking) })}` : came
}

/** @param {Event} event */
function hold(event) {
  event.preventDefault()
}
