// @ts-check
/** What is wrong with a field, said beside it. */

/** What a form itself has to say of a field. */
export class FieldMistake extends Error {
  /** @param {string} field @param {string} message */
  constructor(field, message) {
    super(message)
    this.field = field
    this.code = "mistake"
  }
}

/** Says it, and takes the reader there. @param {HTMLFormElement} form @param {string} name of an input @param {string} text */
export function showFieldError(form, name, text) {
  const input = inputOf(form, name)
  const words = Object.assign(document.createElement("p"), { id: `error-${name}`, className: "field__error" })
  words.setAttribute("role", "alert")
  words.dataset.errorOf = name
  input.closest(".field, fieldset")?.append(words)
  words.textContent = text // once it is in its place, so that it is read out
  input.setAttribute("aria-invalid", "true")
  input.setAttribute("aria-describedby", [...descriptionsOf(input), words.id].join(" "))
  input.focus()
}

/** @param {HTMLFormElement} form */
export function clearFieldErrors(form) {
  for (const words of form.querySelectorAll("[data-error-of]")) words.remove()
  for (const input of form.querySelectorAll('[aria-invalid="true"]')) {
    input.removeAttribute("aria-invalid")
    const others = descriptionsOf(input).filter((id) => !id.startsWith("error-"))
    if (others.length) input.setAttribute("aria-describedby", others.join(" "))
    else input.removeAttribute("aria-describedby")
  }
}

/** @param {Element} input */
const descriptionsOf = (input) => (input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean)

/** @param {HTMLFormElement} form @param {string} name */
function inputOf(form, name) {
  const found = form.querySelector(`[name="${name}"]:checked, [name="${name}"]:not([type="radio"])`)
  if (!(found instanceof HTMLElement)) throw new Error(`the form lacks ${name}`)
  return found
}
