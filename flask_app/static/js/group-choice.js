// @ts-check
/** The field that says for which group something is kept, or for everybody. */
import { must } from "app/ui.js"

/** One that was made since the page came can be chosen too. @param {HTMLElement} form @param {string | null} group its id @param {string} name */
export function chooseGroup(form, group, name) {
  const select = /** @type {HTMLSelectElement} */ (must(form, "[name=group]"))
  if (group && ![...select.options].some(({ value }) => value === group)) select.append(new Option(name, group))
  select.value = group ?? ""
}
