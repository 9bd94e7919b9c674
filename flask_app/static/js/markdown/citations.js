// @ts-check
/**
 * `[1]`, `[1, 2]` and `【1】` in an answer, as links to the sources that its question was given (`env.sources`). In code, in links and where
 * there is no source of that number they stay what was written.
 */

/** @typedef {import("markdown-it").Token} Token */
/** @typedef {{number: number, title: string, url: string, site: string, published: string, fetched?: string}} Source */
/** @typedef {typeof import("markdown-it").Token} Made */
/** @typedef {Pick<Source, "number" | "url" | "title">} Cited */

const NUMBERS = String.raw`\d{1,2}(?:[ \t]?[,，、][ \t]?\d{1,2})*`
const CITATION = new RegExp(String.raw`\[(${NUMBERS})\]|【(${NUMBERS})】`, "g")
const UNFINISHED = /(?:\[|【)(?:\d[\d,，、 \t]*)?$/
const CODE = /(`{3,}|~{3,})[^]*?(?:\1|$)|`[^`\n]+`/g
const ADDRESS = /^https?:\/\//i

/** @param {import("markdown-it").MarkdownIt} md */
export function citations(md) {
  md.core.ruler.after("block", "cited_definitions", ({ env }) => {
    for (const { number } of sourcesOf(env)) delete env.references?.[number] // the model's own list of them
  })
  md.core.ruler.after("inline", "citations", ({ env, tokens, Token }) => {
    const links = new Map(sourcesOf(env).filter(leadsThere).map((source) => [source.number, source]))
    if (links.size) for (const token of tokens) if (token.children) token.children = withLinks(token.children, links, Token)
  })

  /** @param {Cited} source */
  function leadsThere({ url }) {
    return ADDRESS.test(url) && md.validateLink(url)
  }
}

/** Without one at its end that has only begun. @param {string} text @param {Record<string, unknown>} env */
export function withoutUnfinishedCitation(text, env) {
  return sourcesOf(env).length && !endsInCode(text) ? text.replace(UNFINISHED, "") : text
}

/** @param {string} text */
function endsInCode(text) {
  return text.split("`").length % 2 === 0
}

/** @param {Record<string, unknown>} env what a text is parsed with */
function sourcesOf(env) {
  return /** @type {Cited[]} */ (env.sources ?? [])
}

/** Those that a text names outside of code, in the order of their numbers. @template {{number: number}} S @param {string} text @param {S[]} sources @returns {S[]} */
export function citedIn(text, sources) {
  const named = new Set([...text.replace(CODE, "").matchAll(CITATION)].flatMap(numbersOf))
  return sources.filter(({ number }) => named.has(number))
}

/** With those that it names in a list below it, as Markdown or plain. @param {string} text @param {Cited[]} sources @param {string} heading */
export function withSourceList(text, sources, heading, { isPlain = false } = {}) {
  const named = (/** @type {Cited} */ { title, url }) => (isPlain ? `${title} ${url}`.trim() : linkTo(title || url, url))
  const lines = citedIn(text, sources).map((source) => `${isPlain ? "" : "- "}[${source.number}] ${named(source)}`)
  return lines.length ? `${text.trimEnd()}\n\n${heading}\n\n${lines.join("\n")}\n` : text
}

/** @param {string} words @param {string} url */
function linkTo(words, url) {
  const escaped = words.replace(/\s+/g, " ").replace(/[\\[\]<>*_`]|&(?=#?\w+;)/g, "\\$&")
  const address = url.replace(/[\s<>()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`).replace(/&(?=#?\w+;)/g, "&amp;")
  return `[${escaped}](${address})`
}

/** @param {Token[]} children @param {Map<number, Cited>} sources @param {Made} Token */
function withLinks(children, sources, Token) {
  let depth = 0
  return children.flatMap((token) => {
    if (token.type === "link_open") depth++
    if (token.type === "link_close") depth--
    return token.type === "text" && !depth ? pieces(token, sources, Token) : [token]
  })
}

/** @param {Token} text @param {Map<number, Cited>} sources @param {Made} Token */
function pieces(text, sources, Token) {
  const { content, level } = text
  /** @type {Token[]} */
  const made = []
  let from = 0
  for (const found of content.matchAll(CITATION)) {
    const numbers = numbersOf(found)
    if (!numbers.some((number) => sources.has(number))) continue
    made.push(textOf(content.slice(from, found.index), level, Token))
    for (const number of numbers) made.push(...citation(number, sources.get(number), level, Token))
    from = found.index + found[0].length
  }
  return made.length ? [...made, textOf(content.slice(from), level, Token)] : [text]
}

/** @param {RegExpMatchArray} found */
function numbersOf(found) {
  return (found[1] ?? found[2] ?? "").split(/[,，、]/).map(Number)
}

/** @param {number} number @param {Cited | undefined} source @param {number} level @param {Made} Token */
function citation(number, source, level, Token) {
  if (!source) return [textOf(`[${number}]`, level, Token)]
  const open = new Token("link_open", "a", 1)
  open.level = level
  open.attrs = [["href", source.url], ["class", "citation"], ["title", source.title]]
  const close = new Token("link_close", "a", -1)
  close.level = level
  return [open, textOf(`[${number}]`, level + 1, Token), close]
}

/** @param {string} content @param {number} level @param {Made} Token */
function textOf(content, level, Token) {
  const token = new Token("text", "", 0)
  token.content = content
  token.level = level
  return token
}
