// @ts-check
/** The dialog that asks for a prompt's variables, before its text comes into the message. */
import { fill, fromTemplate, must, onSubmit, openDialog, slot } from "app/ui.js"
import { sendsMessage } from "app/chat/writing.js"

export class PromptQuestions {
  #form
  #fields
  /** @type {((values: Map<string, string> | null) => void) | null} */
  #answer = null

  constructor() {
    this.#form = /** @type {HTMLFormElement} */ (must(document, "[data-variables-form]"))
    this.#fields = must(this.#form, "[data-variables]")
    const dialog = /** @type {HTMLDialogElement} */ (must(document, "#variables-dialog"))
    dialog.addEventListener("close", () => this.#end(null))
    this.#form.addEventListener("keydown", (press) => {
      if (!sendsMessage(press) || !(press.target instanceof HTMLTextAreaElement)) return
      press.preventDefault()
      this.#form.requestSubmit()
    })
    onSubmit(this.#form, async () => {
      this.#end(this.#values())
      dialog.close()
    })
  }

  /** What is to stand in their places; null where the dialog was left. @param {string} title @param {Map<string, string>} variables @returns {Promise<Map<string, string> | null>} */
  ask(title, variables) {
    fill(this.#form, { title })
    this.#fields.replaceChildren(...[...variables].map(([name, first], index) => question(name, first, index)))
    openDialog("variables-dialog")
    this.#areas[0]?.select()
    return new Promise((resolve) => (this.#answer = resolve))
  }

  get #areas() {
    return [...this.#fields.querySelectorAll("textarea")]
  }

  #values() {
    return new Map(this.#areas.map((area) => [area.dataset.name ?? "", area.value]))
  }

  /** @param {Map<string, string> | null} values */
  #end(values) {
    this.#answer?.(values)
    this.#answer = null
  }
}

/** @param {string} name @param {string} first @param {number} index */
function question(name, first, index) {
  const field = fromTemplate("variable-template")
  const area = /** @type {HTMLTextAreaElement} */ (must(field, "textarea"))
  area.id = `variable-${index}`
  area.dataset.name = name
  area.value = first
  fill(field, { name })
  slot(field, "name").setAttribute("for", area.id)
  return field
}
