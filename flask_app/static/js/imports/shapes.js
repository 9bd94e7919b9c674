// @ts-check
/** What somebody's export is, and the conversations in it in our own format (docs/conversations.schema.json). */
import { fromChatGpt, isChatGpt } from "app/imports/chatgpt.js"
import { fromClaude, isClaude } from "app/imports/claude.js"
import { fromDeepSeek, isDeepSeek } from "app/imports/deepseek.js"
import { objectOf } from "app/imports/kept-tree.js"
import { noneLeft } from "app/imports/left-out.js"
import { fromLibreChat, isLibreChat } from "app/imports/librechat.js"
import { fromOpenWebUi, isOpenWebUi } from "app/imports/open-webui.js"

/** @typedef {import("app/imports/kept-tree.js").Talk} Talk */
/** @typedef {{id: string, name: string, created_at: string}} Folder */
/** @typedef {import("app/imports/contents.js").Contents} Contents */
/** @typedef {import("app/imports/left-out.js").Left} Left */
/** `empty`: in how many nothing was said; `unread`: which files could not be read; `belongings`: prompts and assistants. @typedef {{source: string, folders: Folder[], talks: Talk[], empty: number, contents: Contents, left: Left, unread: import("app/imports/refused.js").Refusal[], belongings?: import("app/imports/belongings.js").Belonging[]}} Found */

export const OWN = "MingChat"
const FORMAT = "mingchat.conversations"
const VERSION = 1
const NEWER = "import_newer"
export const UNKNOWN = "import_unknown"
export const MOST_CONVERSATIONS = 50_000
export const TOO_MANY = "import_too_many"

/** @type {[string, (each: Record<string, any>) => boolean, (each: Record<string, any>, contents: Contents, left: Left) => Talk | null][]} */
const SHAPES = [
  ["DeepSeek", isDeepSeek, fromDeepSeek],
  ["ChatGPT", isChatGpt, fromChatGpt],
  ["Claude", isClaude, fromClaude],
  ["Open WebUI", isOpenWebUi, fromOpenWebUi],
  ["LibreChat", isLibreChat, fromLibreChat],
]

/** A file that cannot be read, by the code of the sentence that says why. */
export class Unreadable extends Error {
  /** @param {string} code @param {Record<string, string | number>} [params] */
  constructor(code, params = {}) {
    super(code)
    this.code = code
    this.params = params
  }
}

/** Throws Unreadable. @param {unknown} file what the JSON says @returns {Found} */
export function found(file) {
  const whole = objectOf(file)
  if (whole.format === FORMAT) return own(whole)
  const each = Array.isArray(file) ? file : Array.isArray(whole.conversations) ? whole.conversations : [file]
  if (each.length > MOST_CONVERSATIONS) throw new Unreadable(TOO_MANY, { limit: MOST_CONVERSATIONS })
  const shape = SHAPES.find(([, is]) => each.length > 0 && is(objectOf(each[0])))
  if (!shape) throw new Unreadable(UNKNOWN)
  const [source, is, from] = shape
  /** @type {Contents} */
  const contents = new Map()
  const left = noneLeft()
  const talks = each.map(objectOf).filter(is).map((talk) => from(talk, contents, left))
  const said = talks.filter((talk) => talk !== null)
  return { source, folders: [], talks: said, empty: each.length - said.length, contents, left, unread: [] }
}

/** @param {Record<string, any>} file @returns {Found} */
function own({ version, folders, conversations }) {
  if (version !== VERSION) throw new Unreadable(NEWER)
  if (!Array.isArray(conversations) || !Array.isArray(folders)) throw new Unreadable(UNKNOWN)
  if (conversations.length > MOST_CONVERSATIONS) throw new Unreadable(TOO_MANY, { limit: MOST_CONVERSATIONS })
  const said = conversations.filter((talk) => Array.isArray(objectOf(talk).messages) && talk.messages.length > 0)
  return { source: OWN, folders, talks: said, empty: conversations.length - said.length, contents: new Map(), left: noneLeft(), unread: [] }
}
