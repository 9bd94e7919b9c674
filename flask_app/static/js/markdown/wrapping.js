// @ts-check
/** Whether long lines of code are broken: a choice for all code, kept in this browser. */

const CHOICE = "wrap-code"

/** Has one block of code follow the choice. @param {Element} figure */
export function followChoice(figure) {
  const wraps = localStorage.getItem(CHOICE) === "on"
  figure.classList.toggle("code--wraps", wraps)
  figure.querySelector("[data-wrap-code]")?.setAttribute("aria-pressed", String(wraps))
}

/** Turns the choice round; all code on the page follows. */
export function turnWrapping() {
  localStorage.setItem(CHOICE, localStorage.getItem(CHOICE) === "on" ? "off" : "on")
  for (const figure of document.querySelectorAll("figure.code")) followChoice(figure)
}
