// @ts-check
/** Entry of the page on which a manager reads a member's conversations: each request is a look, and is noted. */
import { api } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { fill, fromTemplate, must, slot, tell } from "app/ui.js"

/** @typedef {{id: string, title: string | null, updated_at: string}} Readable */

const path = must(document, "[data-reading]").dataset.reading ?? ""
const list = must(document, "[data-readable]")
const shown = must(document, "[data-read]")
/** @type {string | null} */
let next = null

list.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-read-one]")
  const row = button?.closest("[data-id]")
  if (row instanceof HTMLElement) saying(() => read(row.dataset.id ?? "", slot(row, "title").textContent ?? ""))
})
onMore(must(document, "[data-readable-more]"), async () => {
  const first = await showPage()
  first?.querySelector("button")?.focus({ preventScroll: true })
})
saying(showPage)

/** @param {() => Promise<unknown>} work */
async function saying(work) {
  try {
    await work()
  } catch (error) {
    tell(error)
  }
}

/** Gives its first row. @returns {Promise<HTMLElement | undefined>} */
async function showPage() {
  const page = await api.post(path, next ? { before: next } : {})
  const rows = /** @type {Readable[]} */ (page.conversations).map((each) => {
    const title = each.title ?? t("js.admin.readable_earlier")
    const row = fromTemplate("readable-template", { title, time: formatDateTime(each.updated_at) })
    row.dataset.id = each.id
    must(row, "[data-read-one]").setAttribute("aria-label", t("js.admin.readable_read", { title }))
    return row
  })
  list.append(...rows)
  next = page.next
  must(document, "[data-readable-none]").hidden = list.childElementCount > 0
  must(document, "[data-readable-foot]").hidden = !next
  return rows[0]
}

/** @param {string} id @param {string} title */
async function read(id, title) {
  const { messages } = await api.post(path, { conversation_id: id })
  const rows = /** @type {{role: string, text: string, created_at: string}[]} */ (messages).map(({ role, text, created_at: at }) =>
    fromTemplate("read-template", { who: t(`js.admin.readable_${role}`), time: formatDateTime(at), text }),
  )
  slot(shown, "messages").replaceChildren(...rows)
  fill(shown, { title })
  shown.hidden = false
  shown.focus()
}
