// @ts-check
/** Colours long code apart from the page: first `{library}`, then `{code, language}`, each answered once. */

/** @type {typeof import("highlight.js").default} */
let hljs

addEventListener("message", async ({ data: { library, code, language } }) => {
  if (library) {
    hljs = (await import(library)).default
    return postMessage(null)
  }
  postMessage(hljs.getLanguage(language) ? hljs.highlight(code, { language, ignoreIllegals: true }).value : null)
})
