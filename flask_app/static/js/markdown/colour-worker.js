// @ts-check
/** Colours long code apart from the page: first `{library}`, then `{code, language}`, each answered once; undefined is a failure. */

/** @type {typeof import("highlight.js").default} */
let hljs

addEventListener("message", async ({ data }) => {
  postMessage(await reply(data).catch(() => undefined)) // of a promise that is rejected here, the page would hear nothing
})

/** @param {{library?: string, code: string, language: string}} asked */
async function reply({ library, code, language }) {
  if (library) hljs = (await import(library)).default
  if (library || !hljs.getLanguage(language)) return null
  return hljs.highlight(code, { language, ignoreIllegals: true }).value
}
