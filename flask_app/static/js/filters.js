// @ts-check
/** A search whose filters stand in the address, so that it can be shared and gone back to: the form shows what is asked for there. */

export const wanted = new URLSearchParams(location.search)

/** @param {HTMLFormElement} form @param {string} name */
export const filterOf = (form, name) => /** @type {HTMLInputElement | HTMLSelectElement} */ (form.elements.namedItem(name))

/** What is left empty does not get into the address. @param {HTMLFormElement} form @param {string[]} names @param {(name: string) => string} [valueOf] the address's, if not told */
export function keepFilters(form, names, valueOf = (name) => wanted.get(name) ?? "") {
  const show = () => {
    for (const name of names) filterOf(form, name).value = valueOf(name)
    keepOrder(form)
  }
  show()
  addEventListener("pageshow", show) // a page gone back to keeps what was being chosen when it was left
  for (const name of ["from", "to"]) filterOf(form, name).addEventListener("change", () => keepOrder(form))
  form.addEventListener("formdata", ({ formData }) => {
    for (const [key, value] of [...formData]) if (!value) formData.delete(key)
  })
}

/** What is known, and what the address asks for even if it is not: a revoked token, say. @param {HTMLFormElement} form @param {string} name @param {HTMLOptionElement[]} options */
export function offer(form, name, options) {
  const asked = wanted.get(name)
  const gone = asked && !options.some(({ value }) => value === asked) ? [new Option(asked)] : []
  filterOf(form, name).append(...options, ...gone)
}

/** The first day cannot lie after the last. @param {HTMLFormElement} form */
function keepOrder(form) {
  const first = /** @type {HTMLInputElement} */ (filterOf(form, "from"))
  const last = /** @type {HTMLInputElement} */ (filterOf(form, "to"))
  first.max = last.value
  last.min = first.value
}
