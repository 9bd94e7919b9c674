// @ts-check
/** Invitations on the page of people: made, told once, and what became of each; revoke. */
import { showLinkOnce } from "app/admin/link-once.js"
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { formatDateTime, formatNumber, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { confirmDialog, fromTemplate, must, onSubmit, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {object} Invitation
 * @property {string} id
 * @property {string} name
 * @property {{id: string, name: string} | null} group
 * @property {number} most
 * @property {number} used
 * @property {"open" | "used_up" | "revoked" | "expired" | "lapsed"} state
 * @property {string | null} by
 * @property {string} expires_at
 * @property {Letter | null} letter
 * @typedef {{state: "waiting" | "sent" | "failed" | "dropped", error: string | null}} Letter
 */

const PATH = "/api/admin/invitations"
const INVITE = '[data-open-dialog="invite-dialog"]'

export class Invitations {
  #section = must(document, "[data-invited]")
  #list = must(document, "[data-invitations]")
  /** @type {Map<string, Invitation>} */
  #known = new Map()
  /** @type {string | null} */
  #next = null
  #path

  /** @param {{invitations: Invitation[], next: string | null}} page @param {string} [path] where those of one group are kept */
  constructor(page, path = PATH) {
    this.#path = path
    this.#append(page)
    const form = /** @type {HTMLFormElement} */ (must(document, "[data-invite]"))
    form.closest("dialog")?.addEventListener("close", () => form.reset())
    onSubmit(form, async (values) => this.#make(form, values))
    onMore(must(document, "[data-invitations-more]"), () => this.#loadMore())
    this.#list.addEventListener("click", (event) => {
      const row = /** @type {Element} */ (event.target).closest("[data-revoke]")?.closest("[data-id]")
      const invitation = row instanceof HTMLElement && this.#known.get(row.dataset.id ?? "")
      if (invitation) this.#revoke(invitation)
    })
  }

  /** Those that were made elsewhere on the page: the first of them on top. @param {Invitation[]} made */
  add(made) {
    for (const invitation of made.toReversed()) this.#keep(invitation)
  }

  /** @param {HTMLFormElement} form @param {Record<string, string>} values */
  async #make(form, { name, group: group_id, most, days }) {
    const { invitation, token } = await api.post(this.#path, { name, group_id, most: Number(most), days: Number(days) })
    form.closest("dialog")?.close()
    this.#keep(invitation)
    const told = { group: invitation.group.name, count: formatNumber(invitation.most), time: formatDateTime(invitation.expires_at) }
    const words = {
      title: t("js.admin.invitation_link", { name: invitation.name }),
      text: t("js.admin.invitation_text", told),
      typed: t("js.admin.invitation_code", { address: `${location.host}/join` }),
    }
    showLinkOnce({ ...words, once: t("js.admin.invitation_once") }, "/join", token)
  }

  /** @param {Invitation} invitation */
  async #revoke({ id, name }) {
    const words = { title: t("js.admin.invitation_revoke_title"), text: t("js.admin.invitation_revoke_text", { name }), action: t("js.admin.invitation_revoke_action") }
    if (!(await confirmDialog(words))) return
    try {
      this.#keep(await api.delete(`${this.#path}/${id}`))
      const link = must(this.#list, `[data-id="${id}"] a`)
      const next = link.hidden ? must(document, INVITE) : link
      next.focus()
      toast(t("js.admin.invitation_gone", { name }))
    } catch (error) {
      tell(error)
    }
  }

  /** The button may go: the focus moves on to the first that was not there. */
  async #loadMore() {
    const last = this.#list.lastElementChild
    this.#append(await api.get(withParameter(this.#path, "before", this.#next ?? "")))
    last?.nextElementSibling?.querySelector("a")?.focus({ preventScroll: true })
  }

  /** @param {{invitations: Invitation[], next: string | null}} page */
  #append({ invitations, next }) {
    this.#next = next
    const added = invitations.filter(({ id }) => !this.#known.has(id))
    for (const invitation of added) this.#known.set(invitation.id, invitation)
    this.#list.append(...added.map((each) => this.#row(each)))
    must(document, "[data-invitations-foot]").hidden = !next
    this.#section.hidden = !this.#known.size
  }

  /** In its place, or a new one at the top. @param {Invitation} invitation */
  #keep(invitation) {
    const there = this.#list.querySelector(`[data-id="${invitation.id}"]`)
    if (there) there.replaceWith(this.#row(invitation))
    else this.#list.prepend(this.#row(invitation))
    this.#known.set(invitation.id, invitation)
    this.#section.hidden = false
  }

  /** The history is the administrators' audit log. @param {Invitation} invitation */
  #row(invitation) {
    const element = row(invitation)
    must(element, "a").hidden = this.#path !== PATH
    return element
  }
}

/** @param {Invitation} invitation */
function row({ id, name, group, most, used, state, by, expires_at: end, letter }) {
  const uses = { used: formatNumber(used), most: formatNumber(most), group: group?.name ?? t("js.admin.invitation_no_group") }
  const element = fromTemplate("invitation-template", {
    name,
    state: t(`js.admin.invitation_${state}`),
    used: t("js.admin.invitation_used", uses),
    made: t("js.admin.invitation_made", { who: by ?? t("js.admin.command_line"), time: formatDateTime(end) }),
    why: state === "lapsed" ? t("js.admin.invitation_why_lapsed") : "",
    letter: letter ? fateOf(letter) : "",
  })
  slot(element, "why").hidden = state !== "lapsed"
  slot(element, "letter").hidden = !letter
  element.dataset.id = id
  slot(element, "state").classList.toggle("badge--ok", state === "open")
  const history = /** @type {HTMLAnchorElement} */ (must(element, "a"))
  history.href = withParameter("/admin/audit", "about", id)
  history.setAttribute("aria-label", t("js.admin.invitation_history", { name }))
  must(element, "[data-revoke]").setAttribute("aria-label", t("js.admin.invitation_revoke", { name }))
  must(element, "[data-revoke]").hidden = state !== "open" && state !== "lapsed"
  return element
}

/** What became of a letter, and why. @param {Letter} letter */
function fateOf({ state, error }) {
  return t(`js.admin.letter_${state === "waiting" && error ? "retried" : state}`, { why: error ?? "" })
}
