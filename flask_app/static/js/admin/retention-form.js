// @ts-check
/** For how long conversations, their files and the audit log are kept, in the settings: for everybody, and for some groups. */
import { sendAsked } from "app/admin/retention-asked.js"
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { fromTemplate, must, onSubmit, toast } from "app/ui.js"

/**
 * @typedef {Record<string, number | null>} Rules by the ids of groups; null: for good
 * @typedef {{days: number | null, groups: Rules, file_days: number | null, file_groups: Rules, audit_days: number | null}} Retention
 */

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
    this.#goToGroup(new URLSearchParams(location.hash.slice(1)).get("kept"))
    this.#form.addEventListener("change", () => this.#showDays())
    onSubmit(this.#form, async ({ audit_days: audit }) => {
      const wanted = { ...this.#wanted(), audit_days: audit ? Number(audit) : null }
      const kept = await sendAsked((agreed) => api.put(PATH, { ...wanted, ...agreed }))
      if (!kept) return
      this.#show(kept)
      toast(t("js.admin.retention_saved"))
    })
  }

  /** The one that a link on the groups' page names. @param {string | null} wanted */
  #goToGroup(wanted) {
    const element = [...this.#scopes.children].find((each) => each instanceof HTMLElement && each.dataset.scope === wanted)
    element?.querySelector("select")?.focus()
  }

  /** @param {Retention} retention */
  #show({ days, groups, file_days: fileDays, file_groups: ofFiles, audit_days: audit }) {
    const rows = this.#groups.map(({ id, name }) => scope(id, name, { talks: groups[id], files: ofFiles[id] }))
    this.#scopes.replaceChildren(scope(SITE, t("js.admin.retention_everybody"), { talks: days, files: fileDays }), ...rows)
    const field = /** @type {HTMLInputElement} */ (this.#form.elements.namedItem("audit_days"))
    field.value = audit === null ? "" : String(audit)
    this.#showDays()
  }

  #showDays() {
    for (const row of this.#rowsOf()) {
      const [rule, field] = partsOf(row)
      field.hidden = field.disabled = rule.value !== "days"
    }
  }

  #wanted() {
    const { [SITE]: days = null, ...groups } = this.#rulesOf("talks")
    const { [SITE]: fileDays = null, ...ofFiles } = this.#rulesOf("files")
    return { days, groups, file_days: fileDays, file_groups: ofFiles }
  }

  /** @param {string} kind */
  #rulesOf(kind) {
    /** @type {Rules} */
    const rules = {}
    for (const row of this.#rowsOf(`[data-kind="${kind}"]`)) {
      const [rule, field] = partsOf(row)
      const { scope: id = "" } = /** @type {HTMLElement} */ (row.closest("[data-scope]")).dataset
      if (rule.value !== "site") rules[id] = rule.value === "days" ? Number(field.value) : null
    }
    return rules
  }

  #rowsOf(kind = "[data-kind]") {
    return /** @type {HTMLElement[]} */ ([...this.#scopes.querySelectorAll(kind)])
  }
}

/** @param {string} id @param {string} name @param {{talks: number | null | undefined, files: number | null | undefined}} days null: for good; undefined: as the site */
function scope(id, name, days) {
  const element = fromTemplate("scope-template", { name })
  element.dataset.scope = id
  for (const [kind, own] of Object.entries(days)) {
    const [rule, field] = partsOf(must(element, `[data-kind="${kind}"]`))
    if (id === SITE) rule.options[0]?.remove()
    rule.value = own === undefined ? "site" : own === null ? "good" : "days"
    field.value = own ? String(own) : ""
  }
  return element
}

/** @param {HTMLElement} row @returns {[HTMLSelectElement, HTMLInputElement]} */
function partsOf(row) {
  return [/** @type {HTMLSelectElement} */ (must(row, "[data-rule]")), /** @type {HTMLInputElement} */ (must(row, "[data-days]"))]
}
