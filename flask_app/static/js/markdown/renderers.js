// @ts-check
/** How tokens become markup without style attributes, foreign pictures, or headings above the page's own. */

/** @typedef {import("markdown-it").MarkdownIt} MarkdownIt */
/** @typedef {import("markdown-it").Token} Token */

const TASK = /^\[([ xX])\]\s/

/** @param {MarkdownIt} md */
export function plainRenderers(md) {
  const { escapeHtml } = md.utils
  md.validateLink = (url) => /^(?:https?:\/\/|mailto:|data:image\/(?:png|gif|jpeg|webp);base64,)/i.test(url.trim())
  md.core.ruler.push("lower_headings", lowerHeadings)
  md.core.ruler.push("table_sides", ({ tokens }) => tokens.forEach(sideByClass))
  md.core.ruler.after("inline", "task_signs", ({ tokens }) => tokens.forEach(taskSign))
  md.renderer.rules.fence = (tokens, index) => code(tokens[index], escapeHtml)
  md.renderer.rules.code_block = (tokens, index) => code(tokens[index], escapeHtml)
  md.renderer.rules.image = (tokens, index) => picture(tokens[index], escapeHtml)
}

/**
 * The page's title is the h1, each message has an h2: an answer's first heading becomes an h3, the others follow it.
 * @param {import("markdown-it").StateCore} state
 */
function lowerHeadings({ tokens, env }) {
  for (const token of tokens) {
    if (token.type !== "heading_open" && token.type !== "heading_close") continue
    const level = Number(token.tag[1])
    const top = Number((env.topHeading ??= level))
    token.tag = `h${Math.min(6, 3 + Math.max(0, level - top))}`
  }
}

/** @param {Token} token */
function sideByClass(token) {
  const style = token.attrGet("style")
  if (style === null) return
  token.attrs = (token.attrs ?? []).filter(([name]) => name !== "style")
  token.attrJoin("class", `is-${String(style).replace("text-align:", "")}`)
}

/** @param {Token} token @param {number} index @param {Token[]} tokens */
function taskSign(token, index, tokens) {
  const first = token.children?.[0]
  if (token.type !== "inline" || tokens[index - 2]?.type !== "list_item_open" || first?.type !== "text") return
  first.content = first.content.replace(TASK, (_, mark) => (mark === " " ? "☐ " : "☑ "))
}

/** @param {Token | undefined} token @param {(text: string) => string} escape */
function code(token, escape) {
  const language = token?.info.trim().split(/\s+/)[0] ?? ""
  return `<pre data-language="${escape(language)}"><code>${escape(token?.content ?? "")}</code></pre>\n`
}

/** Only pictures that came along are shown; one from elsewhere becomes a placeholder. @param {Token | undefined} token @param {(text: string) => string} escape */
function picture(token, escape) {
  const source = String(token?.attrGet("src") ?? "")
  const alt = escape(token?.content ?? "")
  if (source.startsWith("data:")) return `<img src="${escape(source)}" alt="${alt}">`
  return `<span class="picture-elsewhere" data-source="${escape(source)}" data-alt="${alt}">${alt}</span>`
}
