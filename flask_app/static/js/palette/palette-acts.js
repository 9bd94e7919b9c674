// @ts-check
/** What the palette offers on the page that is open: the choices of its template, and in the chat the models and what can be done to the conversation. */
import { loaded } from "app/api.js"
import { t } from "app/i18n.js"
import { must } from "app/ui.js"
import { isTemporary } from "app/chat/writing.js"

/** @typedef {import("app/palette/palette-choices.js").Choice & {icon?: Element, about?: string, marks?: (string | Node)[], chosen?: boolean, run: () => unknown, stays?: boolean}} Act */
/** @typedef {{title: string, acts: Act[]}} Group */

/** Goes to a page of the site; within the chat without leaving it. @param {string} path */
export async function follow(path) {
  const chat = await chatHere()
  const { pathname, search } = new URL(path, location.href)
  const isOfChat = !search && (pathname === "/" || pathname.startsWith("/c/"))
  if (chat && (isOfChat || isTemporary())) chat.go(path)
  else location.assign(path)
}

/** The chat, where that is the page. */
export function chatHere() {
  return document.querySelector("[data-chat]") ? loaded(import("app/chat/chat.js")) : null
}

/** Throws ApiError where a part of the page cannot be had. @returns {Promise<Group[]>} */
export async function groupsHere() {
  const chat = await chatHere()
  const template = /** @type {HTMLTemplateElement} */ (must(document, "#palette-choices"))
  const groups = [...template.content.querySelectorAll("[data-group]")].map((group) => ({
    title: group.getAttribute("data-group") ?? "",
    acts: [...group.children].flatMap((element) => actsOf(/** @type {HTMLElement} */ (element), chat)),
  }))
  return groups.filter(({ acts }) => acts.length > 0)
}

/** @param {HTMLElement} element @param {typeof import("app/chat/chat.js") | null} chat @returns {Act[]} */
function actsOf(element, chat) {
  const { press, path, act, english = "" } = element.dataset
  const common = { label: element.textContent?.trim() ?? "", english, icon: element.querySelector("svg") ?? undefined }
  if (path) return [{ ...common, id: path, run: () => follow(path) }]
  if (press) return pressing(press, common)
  if (act === "model") return modelsOf(chat, common)
  if (act === "thinking") return waysToThink(common)
  if (act === "assistant") return assistantsHere(common)
  if (act === "folder") return chat ? [{ ...common, id: act, run: async () => (await chat.sidebar.folders()).askName() }] : []
  return act ? acting(act, chat, common) : []
}

/**
 * A control of the page itself, where it has it and shows it.
 * @param {string} selector @param {{label: string, english: string, icon?: Element}} common @returns {Act[]}
 */
function pressing(selector, common) {
  const control = document.querySelector(selector)
  if (!(control instanceof HTMLElement) || control.hidden) return []
  return [{ ...common, id: selector, chosen: control.getAttribute("aria-pressed") === "true", run: () => control.click() }]
}

/** @param {typeof import("app/chat/chat.js") | null} chat @param {{label: string, english: string, icon?: Element}} common @returns {Act[]} */
function modelsOf(chat, { english, icon }) {
  const select = document.querySelector("[data-model]")
  if (!chat || !(select instanceof HTMLSelectElement)) return []
  return chat.composer.models.map(({ id, name, label: model }) => ({
    id: `model-${id}`,
    label: t("js.palette_model", { name: model }),
    english: `${english} ${model} ${name}`,
    icon,
    chosen: id === select.value,
    run: () => choose(select, id),
  }))
}

/** Those that the page of a new chat offers. @param {{english: string, icon?: Element}} common @returns {Act[]} */
function assistantsHere({ english, icon }) {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("[data-begin-with]"))
  return [...links].map(({ href, textContent, dataset: { beginWith: name = "" } }) => ({
    id: href,
    label: textContent?.trim() ?? "",
    english: `${english} ${name}`,
    icon,
    run: () => follow(href),
  }))
}

/** As the model that is chosen knows them. @param {{label: string, english: string, icon?: Element}} common @returns {Act[]} */
function waysToThink({ label, english, icon }) {
  const select = document.querySelector("[data-thinking]")
  if (!(select instanceof HTMLSelectElement)) return []
  return [...select.options].map(({ value, text, selected: chosen }) => ({
    id: `thinking-${value}`,
    label: text,
    english: `${label} ${english} ${value}`,
    icon,
    chosen,
    run: () => choose(select, value),
  }))
}

/** As a person does. @param {HTMLSelectElement} select @param {string} value */
function choose(select, value) {
  select.value = value
  select.dispatchEvent(new Event("change", { bubbles: true }))
}

/**
 * What is done to the conversation that is shown.
 * @param {string} name @param {typeof import("app/chat/chat.js") | null} chat @param {{label: string, english: string, icon?: Element}} common @returns {Act[]}
 */
function acting(name, chat, common) {
  const conversation = chat?.shownConversation()
  if (!chat || !conversation || isSenseless(name, conversation)) return []
  if (name === "rename") return [{ ...common, id: name, run: () => chat.sidebar.askTitle(conversation) }]
  const run = async () => {
    const { acts } = await loaded(import("app/chat/conversation-acts.js"))
    await acts[name.replace(/^un/, "")]?.(chat.sidebar, conversation)
    if (name === "pin" && !chat.sidebar.get(conversation.id)) await chat.sidebar.renew() // it comes to the top from far below
  }
  return [{ ...common, id: name, run }]
}

/** @param {string} name @param {import("app/sidebar/sidebar.js").Summary} conversation */
function isSenseless(name, { pinned_at: pinnedAt, archived }) {
  const states = { pin: archived || pinnedAt, unpin: archived || !pinnedAt, move: archived, archive: archived, unarchive: !archived, share: !document.querySelector('[data-act="share"]:not([hidden])') }
  return Boolean(states[/** @type {keyof typeof states} */ (name)])
}
