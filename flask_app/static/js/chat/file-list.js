// @ts-check
/** The files of a message, in the thread and where it waits or is changed: pictures small, documents to be had back. */
import { loaded } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { fromTemplate, must, tell } from "app/ui.js"

/**
 * @typedef {{id: string, name: string, kind: "picture" | "document" | "text", content_type: string, bytes: number, width: number | null,
 *   height: number | null, pages: number | null, absent?: "expired" | "left_out" | null, told?: "whole" | "pages" | "search", told_pages?: string | null,
 *   tokens?: number, whole_tokens?: number, found_by?: "meaning" | "budget" | "late" | "failed" | null}} MessageFile
 *   `absent`: why what is in it is not here; `told`: how its words are told to a model, at most so many of `whole_tokens`; `found_by`: how its passages were found
 */

/** Where its content is. @param {string} id */
export const addressOf = (id) => `/api/files/${encodeURIComponent(id)}`

/** 345,678 → "346 kB" @param {number} bytes */
export function sizeWords(bytes) {
  if (bytes < 1_000) return `${bytes} B`
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, "kilobyte"] : [bytes / 1_000_000, "megabyte"]
  const digits = unit === "megabyte" && value < 10 ? 1 : 0
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: digits }).format(value)
}

/** What stands for a file that cannot be seen: "PDF". @param {string} name */
export const endingOf = (name) => /\.([a-z0-9]{1,4})$/i.exec(name)?.[1]?.toUpperCase() ?? ""

/** "12 pages · 346 kB" @param {Pick<MessageFile, "bytes" | "pages">} file */
export function aboutWords({ bytes, pages }) {
  const size = sizeWords(bytes)
  return pages ? `${t(pages === 1 ? "js.files.page" : "js.files.pages", { count: formatNumber(pages) })} · ${size}` : size
}

/** How it is told to a model; nothing of one that is told whole. @param {Pick<MessageFile, "told" | "told_pages">} file */
export function toldWords({ told = "whole", told_pages: pages }) {
  return told === "whole" ? "" : t(`js.files.told_${told}`, { pages: pages ?? "" })
}

/** The same of one that was sent, with about how many tokens all of it has. @param {Pick<MessageFile, "told" | "told_pages" | "tokens" | "whole_tokens" | "found_by">} file */
export function sentWords({ tokens = 0, whole_tokens: whole = 0, found_by: by = null, ...file }) {
  const how = toldWords(file)
  if (file.told !== "search") return how
  const told = !tokens || tokens >= whole ? how : t("js.files.told_of", { how, whole: formatNumber(whole) })
  return by ? `${told} · ${t(`js.files.found_${by}`)}` : told
}

/** Pictures first, as they are the larger. @param {HTMLElement} list @param {MessageFile[]} files */
export function showFiles(list, files) {
  const pictures = files.filter(({ kind, absent }) => kind === "picture" && !absent)
  const others = files.filter((file) => !pictures.includes(file))
  list.hidden = !files.length
  list.replaceChildren(...pictures.map(picture), ...others.map(documentOf))
}

/** With a button at each that takes it out; gives those that stay. @param {HTMLElement} list @param {MessageFile[]} files @param {() => void} changed */
export function changeableFiles(list, files, changed) {
  const staying = [...files]
  list.hidden = !files.length
  for (const file of files) {
    const item = chip(file)
    const button = must(item, "[data-remove]")
    button.addEventListener("click", () => {
      staying.splice(staying.indexOf(file), 1)
      const next = item.nextElementSibling ?? item.previousElementSibling
      item.remove()
      list.hidden = !staying.length
      changed()
      if (next) must(next, "[data-remove]").focus()
    })
    list.append(item)
  }
  return staying
}

/** One that can be taken out again. @param {{name: string, kind?: string, id?: string, bytes: number, pages?: number | null, told?: MessageFile["told"], told_pages?: string | null}} file */
export function chip({ name, kind, id, bytes, pages = null, told, told_pages: chosen }) {
  const about = [aboutWords({ bytes, pages }), toldWords({ told, told_pages: chosen })].filter(Boolean).join(" · ")
  const item = fromTemplate("attached-template", { name, about, ending: endingOf(name) })
  nameButton(must(item, "[data-remove]"), t("js.files.remove", { name }))
  if (kind === "picture" && id) showThumbnail(item, addressOf(id))
  return item
}

/** @param {HTMLElement} button @param {string} words */
export function nameButton(button, words) {
  button.ariaLabel = words
  button.title = words
}

/** Where the browser cannot draw it, its ending stays. @param {HTMLElement} item @param {string} address */
export function showThumbnail(item, address) {
  const image = /** @type {HTMLImageElement} */ (must(item, "img"))
  image.addEventListener("load", () => item.classList.add("attached__file--seen"), { once: true })
  image.src = address
}

/** @param {MessageFile} file */
function picture({ id, name, width, height }) {
  const item = fromTemplate("message-picture-template", { name })
  const [link, image] = [/** @type {HTMLAnchorElement} */ (must(item, "a")), /** @type {HTMLImageElement} */ (must(item, "img"))]
  link.href = addressOf(id)
  link.title = name
  image.alt = t("js.files.picture", { name })
  if (width && height) Object.assign(image, { width, height })
  image.src = link.href
  image.addEventListener("error", () => item.classList.add("message-file--missing"))
  link.addEventListener("click", (press) => {
    if (press.ctrlKey || press.metaKey || press.shiftKey || press.altKey) return
    press.preventDefault()
    loaded(import("app/chat/large-picture.js")).then(({ showLarge }) => showLarge({ address: link.href, name, width, height }), tell)
  })
  return item
}

/** One that is not here is named all the same. @param {MessageFile} file */
function documentOf(file) {
  const { id, name, bytes, pages, absent } = file
  const size = bytes || !absent ? [aboutWords({ bytes, pages })] : []
  const how = sentWords(file)
  const about = [...size, ...(absent ? [t(`js.files.${absent}`)] : how ? [how] : [])].join(" · ")
  const item = fromTemplate("message-document-template", { name, about, ending: endingOf(name) })
  const link = /** @type {HTMLAnchorElement} */ (must(item, "a"))
  if (absent) {
    item.classList.add("message-file--absent")
    return item
  }
  link.href = addressOf(id)
  link.download = name
  return item
}
