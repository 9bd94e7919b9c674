// @ts-check
/** Entry of the audit log, searched for by filters. */
import { withParameter } from "app/addresses.js"
import { factsOf, nameOf } from "app/admin/audit-facts.js"
import { api } from "app/api.js"
import { filterOf, keepFilters } from "app/filters.js"
import { formatDateTime, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { fromTemplate, must, pageState, slot } from "app/ui.js"

/**
 * @typedef {import("app/admin/audit-facts.js").Details} Details
 * @typedef {{id: string, actor: string, actor_id: string | null, action: string, target: string, details: Details, address: string, created_at: string}} AuditEntry
 */

const form = /** @type {HTMLFormElement} */ (must(document, "[data-filters]"))
const list = must(document, "[data-entries]")
/** @type {string | null} */
let next = null

append(pageState("admin-state"))
keepFilters(form, ["who", "action", "about", "from", "to"])
onMore(must(document, "[data-entries-more]"), loadMore)

/** @param {{entries: AuditEntry[], next: string | null}} page */
function append(page) {
  next = page.next
  list.append(...page.entries.map(row))
  must(document, "[data-entries-foot]").hidden = !next
  must(document, "[data-entries-none]").hidden = list.childElementCount > 0
}

/** The button may go: the focus moves on to the first that was not there. */
async function loadMore() {
  const last = list.lastElementChild
  append(await api.get(withParameter(`/api/admin/audit${location.search}`, "before", next ?? "")))
  last?.nextElementSibling?.querySelector("a")?.focus({ preventScroll: true })
}

/** @param {AuditEntry} entry */
function row({ actor, actor_id: id, action, target, details, address, created_at: at }) {
  const shown = id ? actor : t("js.audit.command_line")
  const when = [formatDateTime(at), address].filter(Boolean).join(" · ")
  const element = fromTemplate("entry-template", { actor: shown, action: wordsOf(action), about: nameOf(target, details), facts: factsOf(details).join(" · "), when })
  slot(element, "actor").setAttribute("href", withParameter("/admin/audit", "who", actor))
  const about = slot(element, "about")
  about.setAttribute("href", withParameter("/admin/audit", "about", target))
  about.title = t("js.audit.about", { name: nameOf(target, details) })
  about.hidden = !target
  slot(element, "facts").hidden = !slot(element, "facts").textContent
  return element
}

/** As the choice has it; what another version has named stands as it is. @param {string} action such as user.change */
function wordsOf(action) {
  const choice = filterOf(form, "action").querySelector(`[value="${CSS.escape(action)}"]`)
  return choice instanceof HTMLElement ? (choice.dataset.words ?? action) : action
}
