// @ts-check
/** The dialog that shows what a server of tools has now, beside what was kept of it, and keeps what is ticked. */
import { api } from "app/api.js"
import { formatNumber, sentence, t } from "app/i18n.js"
import { fill, fromTemplate, must, onSubmit, openDialog, slot } from "app/ui.js"

/**
 * @typedef {import("app/admin/tools.js").Server} Server
 * @typedef {import("app/admin/tools.js").Tool} Tool
 * @typedef {Tool & {state: "new" | "changed" | "same" | "gone", enabled: boolean, before: Tool | null}} Seen
 * @typedef {{seen: string, protocol: string, latency_ms: number, left_out: number, tools: Seen[]}} Look
 */

export class ToolLook {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-tools-form]"))
  #looked = must(this.#form, "[data-looked]")
  #list = must(this.#form, "[data-seen-tools]")
  #none = must(this.#form, "[data-no-tools]")
  #ticks = must(this.#form, "[data-ticks]")
  #keep = /** @type {HTMLButtonElement} */ (must(this.#form, "[type=submit]"))
  #path
  #id = ""
  #seen = ""

  /** @param {string} path @param {(server: Server) => void} kept */
  constructor(path, kept) {
    this.#path = path
    this.#ticks.addEventListener("click", ({ target }) => {
      const pressed = /** @type {Element} */ (target).closest("[data-tick]")
      if (!(pressed instanceof HTMLElement)) return
      for (const box of this.#boxes("input:enabled")) box.checked = pressed.dataset.tick === "all"
    })
    onSubmit(this.#form, async () => {
      const enabled = this.#boxes("input:checked").map(({ value }) => value)
      const server = await api.put(`${path}/${this.#id}/tools`, { seen: this.#seen, enabled })
      this.#form.closest("dialog")?.close()
      kept(server)
    })
  }

  /** @param {Server} server */
  async open({ id, name, looked_at: looked }) {
    this.#id = id
    fill(this.#form, { title: t("js.admin.tools_of", { name }) })
    this.#looked.textContent = t("js.admin.tools_asking")
    this.#list.replaceChildren()
    this.#none.hidden = this.#ticks.hidden = this.#keep.disabled = true
    must(this.#form, "[data-form-error]").hidden = true
    openDialog("tools-dialog")
    try {
      const found = /** @type {Look} */ (await api.post(`${this.#path}/${id}/look`))
      if (this.#id === id) this.#show(found, !looked)
    } catch (error) {
      if (this.#id === id) this.#looked.textContent = sentence(error)
    }
  }

  /** Of a server that was never looked at all are ticked. @param {Look} look @param {boolean} isFirst */
  #show({ seen, protocol, latency_ms: milliseconds, left_out: leftOut, tools }, isFirst) {
    this.#seen = seen
    const words = [t("js.admin.tools_seen", { seconds: formatNumber(Math.ceil(milliseconds / 100) / 10), protocol })]
    if (leftOut) words.push(t("js.admin.tools_left_out", { count: formatNumber(leftOut) }))
    this.#looked.textContent = words.join(" ")
    this.#list.replaceChildren(...tools.map((tool) => row(tool, isFirst)))
    this.#none.hidden = tools.length > 0
    this.#ticks.hidden = this.#boxes("input:enabled").length < 2
    this.#keep.disabled = false
  }

  /** @param {string} which */
  #boxes(which) {
    return /** @type {HTMLInputElement[]} */ ([...this.#list.querySelectorAll(which)])
  }
}

/** @param {Seen} tool @param {boolean} isFirst */
function row({ name, title, description, parameters, state, enabled, before }, isFirst) {
  const element = fromTemplate("seen-tool-template", { name, title, description, parameters: shown(parameters) })
  const box = /** @type {HTMLInputElement} */ (must(element, "input"))
  box.value = name
  box.checked = state !== "gone" && (enabled || isFirst)
  box.disabled = state === "gone"
  slot(element, "name").hidden = name === title
  const mark = slot(element, "state")
  mark.hidden = state === "same" || (state === "new" && isFirst)
  if (!mark.hidden) mark.textContent = t(`js.admin.tool_${state}`)
  if (before) {
    fill(element, { was: [before.title, before.description].join("\n"), "was-parameters": shown(before.parameters) })
    slot(element, "was-parameters").hidden = shown(before.parameters) === shown(parameters)
    must(element, "[data-before]").hidden = false
  }
  return element
}

/** @param {object} parameters */
const shown = (parameters) => JSON.stringify(parameters, null, 2)
