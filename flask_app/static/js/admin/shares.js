// @ts-check
/** Entry of everybody's shared links: listed, ended. */
import { withParameter } from "app/addresses.js"
import { api, isGone } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { endWords, timesOf } from "app/share-list.js"
import { confirmDialog, fromTemplate, must, pageState, tell, toast } from "app/ui.js"

/** @typedef {{id: string, user: {id: string, username: string}, opened: number, audience: "people" | "anybody", created_at: string, expires_at: string | null}} Share */

const PATH = "/api/admin/shares"
const list = must(document, "[data-shares]")
const more = must(document, "[data-shares-more]")
/** @type {string | null} */
let next = null

append(pageState("admin-state"))
onMore(more, loadMore)

/** @param {{shares: Share[], next: string | null}} page */
function append(page) {
  next = page.next
  list.append(...page.shares.map(row))
  must(document, "[data-shares-foot]").hidden = !next
  showNone()
}

function showNone() {
  must(document, "[data-shares-none]").hidden = list.childElementCount > 0
}

/** The button may go: the focus moves on to the first that was not there. */
async function loadMore() {
  const last = list.lastElementChild
  append(await api.get(withParameter(PATH, "before", next ?? "")))
  const first = last?.nextElementSibling?.querySelector("[data-end-share]")
  if (first instanceof HTMLElement) first.focus({ preventScroll: true })
}

/** @param {Share} share */
function row(share) {
  const { user, created_at: made } = share
  const element = fromTemplate("anybodys-share-template", { user: user.username, facts: timesOf(share).join(" · ") })
  const button = must(element, "[data-end-share]")
  button.setAttribute("aria-label", t("js.admin.end_share_of", { name: user.username, time: formatDateTime(made) }))
  button.addEventListener("click", () => end(share, element))
  return element
}

/** @param {Share} share @param {HTMLElement} element */
async function end({ id }, element) {
  if (!(await confirmDialog(endWords()))) return
  try {
    await api.delete(`${PATH}/${id}`).catch((error) => {
      if (!isGone(error)) throw error // its person was first
    })
    const beside = element.nextElementSibling ?? element.previousElementSibling
    element.remove()
    const button = beside?.querySelector("[data-end-share]")
    if (button instanceof HTMLElement) button.focus()
    showNone()
    toast(t("js.shares.ended"))
  } catch (error) {
    tell(error)
  }
}
