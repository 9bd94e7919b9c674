// @ts-check
/** The table in a form that says which group here each of an organisation's groups leads to. */
import { fromTemplate, must } from "app/ui.js"

export class GroupRows {
  #form
  #rows
  #groups
  #label

  /** @param {HTMLElement} form @param {{id: string, name: string}[]} groups @param {HTMLSelectElement} otherwise the group of whoever has none of them @param {string} [label] what a row's value is, unless a claim's value */
  constructor(form, groups, otherwise, label) {
    this.#form = form
    this.#rows = must(form, "[data-group-rows]")
    this.#groups = groups
    this.#label = label
    otherwise.replaceChildren(...this.#options())
    must(form, "[data-add-row]").addEventListener("click", () => this.#add("", otherwise.value).focus())
    this.#rows.addEventListener("click", ({ target }) => {
      if (/** @type {Element} */ (target).closest("[data-remove-row]")) this.#remove(/** @type {Element} */ (target))
    })
  }

  /** @param {{value: string, group_id: string}[]} rows */
  show(rows) {
    this.#rows.replaceChildren()
    for (const { value, group_id: group } of rows) this.#add(value, group)
  }

  /** Where nothing says who is in which group, nobody's is touched. @param {boolean} wanted */
  offer(wanted) {
    must(this.#form, "[data-group-table]").hidden = !wanted
  }

  /** @returns {{value: string, group_id: string}[]} */
  get wanted() {
    const rows = [...this.#rows.children].map((row) => ({
      value: /** @type {HTMLInputElement} */ (must(row, "input")).value,
      group_id: /** @type {HTMLSelectElement} */ (must(row, "select")).value,
    }))
    return rows.filter(({ value }) => value.trim())
  }

  /** @param {string} value @param {string} group @returns {HTMLInputElement} */
  #add(value, group) {
    const row = fromTemplate("identity-group-template", {})
    const input = /** @type {HTMLInputElement} */ (must(row, "input"))
    const select = /** @type {HTMLSelectElement} */ (must(row, "select"))
    if (this.#label) input.setAttribute("aria-label", this.#label)
    select.replaceChildren(...this.#options())
    input.value = value
    select.value = group
    this.#rows.append(row)
    return input
  }

  /** @param {Element} pressed */
  #remove(pressed) {
    pressed.closest("li")?.remove()
    must(this.#form, "[data-add-row]").focus()
  }

  #options() {
    return this.#groups.map(({ id, name }) => new Option(name, id))
  }
}
