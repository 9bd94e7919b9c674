// @ts-check
/** One's own links to conversations: each is copied, sent on, ended. Emits "changed" when there are fewer or more. */
import { api, isGone } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { copyText } from "app/shell.js"
import { confirmDialog, fromTemplate, must, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {{id: string, conversation_id: string, title: string, path: string | null, named: boolean, thoughts: boolean,
 *   opened: number, audience: "people" | "anybody", created_at: string, expires_at: string | null}} Share `path` null: it cannot be told again
 */

/** When it was made, until when it is good, for whom, how often it was opened. @param {Pick<Share, "created_at" | "expires_at" | "opened" | "audience">} share */
export function timesOf({ created_at: made, expires_at: expires, opened, audience }) {
  return [
    t("js.shares.made_at", { time: formatDateTime(made) }),
    expires ? t("js.shares.until", { time: formatDateTime(expires) }) : t("js.shares.for_ever"),
    t(audience === "anybody" ? "js.shares.for_anybody" : "js.shares.for_people"),
    t("js.shares.opened", { count: opened }),
  ]
}

/** What is asked before a link is ended. */
export const endWords = () => ({ title: t("js.shares.end_title"), text: t("js.shares.end_text"), action: t("js.shares.end_action") })

export class ShareList extends EventTarget {
  #place

  /** @param {HTMLElement} place */
  constructor(place) {
    super()
    this.#place = place
  }

  get count() {
    return this.#place.childElementCount
  }

  /** @param {Share[]} shares the newest first */
  show(shares) {
    this.#place.replaceChildren(...shares.map((share) => this.#row(share)))
    this.#changed()
  }

  /** One that was made now, on top. @param {Share} share */
  add(share) {
    this.#place.prepend(this.#row(share))
    this.#changed()
  }

  /** @param {Share} share */
  #row(share) {
    const { title, path, thoughts, named } = share
    const facts = [...timesOf(share), thoughts && t("js.shares.with_thoughts"), named && t("js.shares.with_name")]
    const row = fromTemplate("share-template", { title, facts: facts.filter(Boolean).join(" · ") })
    const [copy, send, end] = ["copy-link", "send-link", "end-share"].map((name) => must(row, `[data-${name}]`))
    const link = /** @type {HTMLAnchorElement} */ (slot(row, "link"))
    const address = path && new URL(path, location.href).href
    if (address) link.href = link.textContent = address
    else link.replaceWith(t("js.shares.untold"))
    for (const [name, button] of Object.entries({ copy, send, end })) button?.setAttribute("aria-label", t(`js.shares.${name}_one`, { title }))
    if (copy) copy.hidden = !address
    if (send) send.hidden = !(address && "share" in navigator)
    copy?.addEventListener("click", async () => toast(t((await copyText(address ?? "")) ? "js.copied" : "js.copy_failed")))
    send?.addEventListener("click", () => navigator.share({ title, url: address ?? "" }).catch(() => undefined)) // its reader has thought better of it
    end?.addEventListener("click", () => this.#end(share, row))
    return row
  }

  /** One that has ended meanwhile has ended. @param {Share} share @param {HTMLElement} row */
  async #end({ id }, row) {
    if (!(await confirmDialog(endWords()))) return
    try {
      await api.delete(`/api/shares/${id}`).catch((error) => {
        if (!isGone(error)) throw error
      })
    } catch (error) {
      return tell(error)
    }
    const beside = row.nextElementSibling ?? row.previousElementSibling
    row.remove()
    const button = beside?.querySelector("[data-end-share]")
    if (button instanceof HTMLElement) button.focus()
    this.#changed()
    toast(t("js.shares.ended"))
  }

  #changed() {
    this.dispatchEvent(new Event("changed"))
  }
}
