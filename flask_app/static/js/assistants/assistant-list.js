// @ts-check
/** A page of assistants, one's own or those for others: made, changed, deleted, and one's own begun with. */
import { withParameter } from "app/addresses.js"
import { ApiError, api, isGone } from "app/api.js"
import { KnownFiles } from "app/assistants/known-files.js"
import { ModelChoice } from "app/assistants/model-choice.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { chooseGroup } from "app/group-choice.js"
import { sentence, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { confirmDialog, fromTemplate, must, onSubmit, openDialog, showFormError, slot, tell, toast } from "app/ui.js"

/** Beside which field a refusal is said. @type {Record<string, string>} */
const FIELDS = { bad_assistant_name: "name", bad_assistant_icon: "icon", bad_instructions: "instructions", unknown_model: "model", model_not_for_group: "model", unknown_group: "group" }

/** @typedef {{id: string, name: string, icon: string, beginning: string, model: string | null, thinking: boolean | string | null, group?: {id: string, name: string} | null}} Listed */
/** @typedef {Listed & {instructions: string, files: import("app/assistants/known-files.js").Known[], group_id?: string | null}} Assistant */
/** @typedef {{assistants: Listed[], next?: string | null}} Page */

export class AssistantList {
  #path
  #isShared
  #list = must(document, "[data-assistant-list]")
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-assistant-form]"))
  #add = must(document, "[data-new-assistant]")
  #choice
  #known
  /** The one that the form is open for; null for a new one. @type {Assistant | null} */
  #edited = null
  /** @type {string | null} */
  #next = null

  /** @param {string} path of the API @param {{models: import("app/assistants/model-choice.js").Model[], knowledge: import("app/assistants/known-files.js").Limits}} state @param {{isShared?: boolean}} [options] */
  constructor(path, { models, knowledge }, { isShared = false } = {}) {
    this.#path = path
    this.#isShared = isShared
    this.#choice = new ModelChoice(this.#form, models)
    this.#known = new KnownFiles(this.#form, knowledge, { isShared })
    this.#add.addEventListener("click", () => this.#open(null))
    this.#list.addEventListener("click", (event) => this.#pressed(/** @type {Element} */ (event.target)))
    onMore(must(document, "[data-assistants-more]"), () => this.#more())
    onSubmit(this.#form, (values) => this.#save(values))
  }

  /** @param {Page} page */
  show(page) {
    this.#list.replaceChildren()
    this.#append(page)
  }

  /** @param {Page} page */
  #append({ assistants, next = null }) {
    this.#next = next
    this.#list.append(...assistants.map((assistant) => this.#row(assistant)))
    must(document, "[data-assistants-foot]").hidden = !next
    const none = must(document, "[data-assistants-none]")
    none.hidden = this.#list.childElementCount > 0
    none.textContent = none.hidden ? "" : t("js.assistants.none")
  }

  async #renew() {
    this.show(await api.get(this.#path))
  }

  /** The button may go: the focus moves on to the first that was not there. */
  async #more() {
    const last = this.#list.lastElementChild
    this.#append(await api.get(withParameter(this.#path, "before", this.#next ?? "")))
    must(last?.nextElementSibling ?? this.#list, "[data-edit]").focus({ preventScroll: true })
  }

  /** @param {Listed} assistant */
  #row({ id, name, icon, beginning, model, thinking, group }) {
    const row = fromTemplate("assistant-row-template", { icon, name, beginning, ...this.#choice.words(model, thinking) })
    Object.assign(row.dataset, { id, name })
    slot(row, "drawing").hidden = icon !== ""
    slot(row, "icon").hidden = icon === ""
    slot(row, "model").hidden = !model
    slot(row, "thinking").hidden = thinking === null
    if (this.#isShared) slot(row, "group").textContent = group ? group.name : t("js.prompts.everybody")
    const begin = row.querySelector("[data-begin]")
    begin?.setAttribute("href", `/?assistant=${id}`)
    begin?.setAttribute("aria-label", t("js.assistants.begin", { name }))
    must(row, "[data-edit]").setAttribute("aria-label", t("js.assistants.edit", { name }))
    must(row, "[data-delete]").setAttribute("aria-label", t("js.assistants.delete", { name }))
    return row
  }

  /** @param {Element} target */
  async #pressed(target) {
    const button = target.closest("[data-edit], [data-delete]")
    const row = button?.closest("[data-id]")
    if (!button || !(row instanceof HTMLElement)) return
    const { id = "", name = "" } = row.dataset
    try {
      if (button.matches("[data-delete]")) await this.#remove(id, name)
      else this.#open(await api.get(`${this.#path}/${id}`))
    } catch (error) {
      tell(error)
      if (isGone(error)) await this.#renew().catch(tell) // it was deleted elsewhere
    }
  }

  /** @param {Assistant | null} assistant as it is now */
  #open(assistant) {
    this.#edited = assistant
    this.#form.reset()
    clearFieldErrors(this.#form)
    const { name = "", icon = "", instructions = "", group_id: group } = assistant ?? {}
    slot(this.#form, "title").textContent = assistant ? t("js.assistants.edit", { name }) : t("js.assistants.new")
    for (const [field, value] of Object.entries({ name, icon, instructions })) {
      const place = /** @type {HTMLInputElement} */ (must(this.#form, `[name="${field}"]`))
      place.value = value
    }
    if (this.#isShared) chooseGroup(this.#form, group ?? null, this.#list.querySelector(`[data-id="${assistant?.id}"] [data-slot=group]`)?.textContent ?? "")
    this.#choice.set(assistant?.model ?? null, assistant?.thinking ?? null)
    this.#known.set(assistant?.files ?? [])
    openDialog("assistant-dialog")
  }

  /** A model that is offered no more stays, where no other is chosen. @param {Record<string, string>} values */
  async #save({ name, icon, instructions, group }) {
    clearFieldErrors(this.#form)
    if (this.#known.isComing) return showFormError(this.#form, t("js.assistants.known_wait"))
    const { model, thinking } = this.#choice
    const whose = this.#isShared ? { group_id: group || null } : {}
    const wanted = { name, icon, instructions, thinking, ...this.#files, ...whose, ...(model === (this.#edited?.model ?? null) ? {} : { model }) }
    try {
      const saved = await (this.#edited ? api.patch(`${this.#path}/${this.#edited.id}`, wanted) : api.post(this.#path, wanted))
      this.#form.closest("dialog")?.close()
      await this.#renew()
      const first = this.#list.querySelector(`[data-id="${saved.id}"]`)?.querySelector("a, button")
      if (first instanceof HTMLElement) first.focus()
      toast(t("js.assistants.saved", { name: saved.name }))
    } catch (error) {
      const field = error instanceof ApiError ? FIELDS[error.code] : undefined
      if (!field) throw error
      showFieldError(this.#form, field, sentence(error))
    }
  }

  /** Where they are others than when the form was opened: what somebody else has changed meanwhile stays. */
  get #files() {
    const files = this.#known.ids
    return files.join() === (this.#edited?.files ?? []).map(({ id }) => id).join() ? {} : { files }
  }

  /** @param {string} id @param {string} name */
  async #remove(id, name) {
    const words = { title: t("js.assistants.delete", { name }), text: t("js.assistants.delete_text"), action: t("js.assistants.delete_action") }
    if (!(await confirmDialog(words))) return
    await api.delete(`${this.#path}/${id}`)
    await this.#renew()
    this.#add.focus()
    toast(t("js.assistants.deleted", { name }))
  }
}
