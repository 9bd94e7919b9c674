// @ts-check
/** For how long conversations and the audit log are kept, in the settings: for everybody, and for some groups. */
import { ApiError, api } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { confirmDialog, fromTemplate, must, onSubmit, toast } from "app/ui.js"

/** @typedef {{days: number | null, groups: Record<string, number | null>, audit_days: number | null}} Retention */

const PATH = "/api/admin/settings/retention"
const SITE = "site"

export class RetentionForm {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-retention-form]"))
  #scopes = must(this.#form, "[data-scopes]")
  #groups

  /** @param {Retention} retention @param {{id: string, name: string}[]} groups */
  constructor(retention, groups) {
    this.#groups = groups
    this.#show(retention)
    this.#form.addEventListener("change", () => this.#showDays())
    onSubmit(this.#form, async ({ audit_days: audit }) => {
      const kept = await this.#send({ ...this.#wanted(), audit_days: audit ? Number(audit) : null })
      if (!kept) return
      this.#show(kept)
      toast(t("js.admin.retention_saved"))
    })
  }

  /** What is too old already goes only where that is wanted. @param {Retention} wanted @returns {Promise<Retention | null>} */
  async #send(wanted) {
    try {
      return await api.put(PATH, wanted)
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "retention_removes") throw error
      const words = { title: t("js.admin.retention_title"), text: removed(error.params), action: t("js.admin.retention_action") }
      return (await confirmDialog(words)) ? api.put(PATH, { ...wanted, confirmed: true }) : null
    }
  }

  /** @param {Retention} retention */
  #show({ days, groups, audit_days: audit }) {
    const rows = this.#groups.map(({ id, name }) => this.#row(id, name, id in groups ? (groups[id] ?? null) : undefined))
    this.#scopes.replaceChildren(this.#row(SITE, t("js.admin.retention_everybody"), days), ...rows)
    const field = /** @type {HTMLInputElement} */ (this.#form.elements.namedItem("audit_days"))
    field.value = audit === null ? "" : String(audit)
    this.#showDays()
  }

  /** @param {string} id @param {string} name @param {number | null | undefined} days null: for good; undefined: as the site */
  #row(id, name, days) {
    const row = fromTemplate("scope-template", { name })
    row.dataset.scope = id
    const [rule, field] = partsOf(row)
    if (id === SITE) rule.options[0]?.remove()
    rule.value = days === undefined ? "site" : days === null ? "good" : "days"
    field.value = days ? String(days) : ""
    return row
  }

  #showDays() {
    for (const row of this.#rows()) {
      const [rule, field] = partsOf(row)
      field.hidden = field.disabled = rule.value !== "days"
    }
  }

  #wanted() {
    /** @type {Record<string, number | null>} */
    const rules = {}
    for (const row of this.#rows()) {
      const [rule, field] = partsOf(row)
      if (rule.value !== "site") rules[row.dataset.scope ?? ""] = rule.value === "days" ? Number(field.value) : null
    }
    const { [SITE]: days = null, ...groups } = rules
    return { days, groups }
  }

  #rows() {
    return /** @type {HTMLElement[]} */ ([...this.#scopes.children])
  }
}

/** @param {HTMLElement} row @returns {[HTMLSelectElement, HTMLInputElement]} */
function partsOf(row) {
  return [/** @type {HTMLSelectElement} */ (must(row, "[data-rule]")), /** @type {HTMLInputElement} */ (must(row, "[data-days]"))]
}

/** @param {Record<string, unknown>} counts */
function removed({ conversations, people, entries }) {
  const counted = (/** @type {unknown} */ count) => formatNumber(Number(count))
  const told = []
  if (conversations) told.push(t("js.admin.retention_conversations", { count: counted(conversations), people: counted(people) }))
  if (entries) told.push(t("js.admin.retention_entries", { count: counted(entries) }))
  return [...told, t("js.admin.retention_for_good")].join(" ")
}
