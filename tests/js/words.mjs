// In the place of the words that the server puts into app/i18n: those that a test gave its document.
export default JSON.parse(globalThis.document?.getElementById?.("catalogue")?.textContent ?? "{}")
