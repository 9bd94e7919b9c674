// @ts-check
/** A page of prompts, one's own or those for others: searched at the server, a page at a time; added, changed, deleted. */
import { withParameter } from "app/addresses.js"
import { ApiError, api, isGone } from "app/api.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { chooseGroup } from "app/group-choice.js"
import { sentence, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, tell, toast } from "app/ui.js"

const PAUSE = 250 // milliseconds between the last key and the search
/** Beside which field a refusal is said. @type {Record<string, string>} */
const FIELDS = { bad_prompt_command: "command", prompt_command_taken: "command", bad_prompt_title: "title", bad_prompt_text: "text", too_many_variables: "text", unknown_group: "group" }

/** @typedef {{id: string, command: string, title: string, beginning: string, group?: {id: string, name: string} | null}} Listed */
/** @typedef {{prompts: Listed[], next: string | null}} Page */

export class PromptList {
  #path
  #isShared
  #list = must(document, "[data-prompt-list]")
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-prompt-form]"))
  #search = /** @type {HTMLInputElement} */ (must(document, "[data-search] input"))
  #add = must(document, "[data-new-prompt]")
  /** @type {string | null} */
  #next = null
  /** The one that the form is open for; null for a new one. @type {string | null} */
  #edited = null
  #timer = 0
  #asked = 0

  /** @param {string} path of the API @param {{isShared?: boolean}} [options] */
  constructor(path, { isShared = false } = {}) {
    this.#path = path
    this.#isShared = isShared
    this.#search.value = new URLSearchParams(location.search).get("q") ?? ""
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#renew(), PAUSE)
    })
    this.#search.form?.addEventListener("submit", (event) => event.preventDefault())
    this.#add.addEventListener("click", () => this.#open(null))
    this.#list.addEventListener("click", (event) => this.#pressed(/** @type {Element} */ (event.target)))
    onMore(must(document, "[data-prompts-more]"), () => this.#more())
    onSubmit(this.#form, (values) => this.#save(values))
  }

  /** @param {Page} page */
  show(page) {
    this.#list.replaceChildren()
    this.#append(page)
  }

  /** @param {Page} page */
  #append({ prompts, next }) {
    this.#next = next
    this.#list.append(...prompts.map((prompt) => this.#row(prompt)))
    must(document, "[data-prompts-foot]").hidden = !next
    const none = must(document, "[data-prompts-none]")
    none.hidden = this.#list.childElementCount > 0
    none.textContent = none.hidden ? "" : t(this.#search.value.trim() ? "js.prompts.none_found" : "js.prompts.none")
  }

  /** Only the newest search counts. */
  async #renew() {
    clearTimeout(this.#timer)
    const mine = ++this.#asked
    try {
      const page = await api.get(withParameter(this.#path, "q", this.#search.value.trim()))
      if (mine === this.#asked) this.show(page)
    } catch (error) {
      tell(error)
    }
  }

  /** The button may go: the focus moves on to the first that was not there. */
  async #more() {
    const [last, mine] = [this.#list.lastElementChild, this.#asked]
    const path = withParameter(withParameter(this.#path, "q", this.#search.value.trim()), "before", this.#next ?? "")
    const page = await api.get(path)
    if (mine !== this.#asked) return // another search is shown meanwhile
    this.#append(page)
    must(last?.nextElementSibling ?? this.#list, "[data-edit]").focus({ preventScroll: true })
  }

  /** @param {Listed} prompt */
  #row({ id, command, title, beginning, group }) {
    const row = fromTemplate("prompt-row-template", { command: `/${command}`, title, beginning })
    row.dataset.id = id
    row.dataset.command = command
    if (this.#isShared) fill(row, { group: group ? group.name : t("js.prompts.everybody") })
    must(row, "[data-edit]").setAttribute("aria-label", t("js.prompts.edit", { command: `/${command}` }))
    must(row, "[data-delete]").setAttribute("aria-label", t("js.prompts.delete", { command: `/${command}` }))
    return row
  }

  /** @param {Element} target */
  async #pressed(target) {
    const button = target.closest("[data-edit], [data-delete]")
    const row = button?.closest("[data-id]")
    if (!button || !(row instanceof HTMLElement)) return
    const { id = "", command = "" } = row.dataset
    try {
      if (button.matches("[data-delete]")) await this.#remove(id, `/${command}`)
      else this.#open(await api.get(`${this.#path}/${id}`))
    } catch (error) {
      tell(error)
      if (isGone(error)) await this.#renew() // it was deleted elsewhere
    }
  }

  /** @param {{id: string, command: string, title: string, text: string, group_id?: string | null} | null} prompt as it is now */
  #open(prompt) {
    this.#edited = prompt?.id ?? null
    this.#form.reset()
    clearFieldErrors(this.#form)
    const { command = "", title = "", text = "", group_id: group } = prompt ?? {}
    fill(this.#form, { title: prompt ? t("js.prompts.edit", { command: `/${command}` }) : t("js.prompts.new") })
    for (const [name, value] of Object.entries({ command, title, text })) {
      const field = /** @type {HTMLInputElement} */ (must(this.#form, `[name="${name}"]`))
      field.value = value
    }
    if (this.#isShared) chooseGroup(this.#form, group ?? null, this.#list.querySelector(`[data-id="${prompt?.id}"] [data-slot=group]`)?.textContent ?? "")
    openDialog("prompt-dialog")
  }

  /** @param {Record<string, string>} values */
  async #save({ command = "", title, text, group }) {
    clearFieldErrors(this.#form)
    const wanted = { command: command.trim().replace(/^[/／]/, ""), title, text, ...(this.#isShared ? { group_id: group || null } : {}) }
    try {
      const saved = await (this.#edited ? api.put(`${this.#path}/${this.#edited}`, wanted) : api.post(this.#path, wanted))
      this.#form.closest("dialog")?.close()
      await this.#renew()
      this.#list.querySelector(`[data-id="${saved.id}"]`)?.querySelector("button")?.focus()
      toast(t("js.prompts.saved", { command: `/${saved.command}` }))
    } catch (error) {
      const field = error instanceof ApiError ? FIELDS[error.code] : undefined
      if (!field) throw error
      showFieldError(this.#form, field, sentence(error))
    }
  }

  /** @param {string} id @param {string} command */
  async #remove(id, command) {
    const words = { title: t("js.prompts.delete", { command }), text: t("js.prompts.delete_text"), action: t("js.prompts.delete_action") }
    if (!(await confirmDialog(words))) return
    await api.delete(`${this.#path}/${id}`)
    await this.#renew()
    this.#add.focus()
    toast(t("js.prompts.deleted", { command }))
  }
}
