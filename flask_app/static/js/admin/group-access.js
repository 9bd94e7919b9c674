// @ts-check
/** What a group's people may use, which models they may ask, and at what hours: the dialog, and the hours in words. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { confirmDialog, fill, must, onSubmit, openDialog, toast } from "app/ui.js"

/**
 * @typedef {{days: number[], from: string, to: string}} Hours 1 is Monday; the day ends at "24:00"
 * @typedef {{api: boolean, sharing: boolean, web_search: boolean, models: string[] | null, hours: Hours | null}} Access without `models` all
 * @typedef {Access & {supervised: boolean}} Wanted
 */

const MONDAY = Date.UTC(2024, 0, 1)
const DAY = 86_400_000
const USUAL = { days: [1, 2, 3, 4, 5], from: "08:00", to: "18:00" }
const MIDNIGHT = "00:00"

/** @param {Intl.DateTimeFormatOptions["weekday"]} weekday @param {number} day 1 is Monday */
function dayName(weekday, day) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { weekday, timeZone: "UTC" }).format(MONDAY + (day - 1) * DAY)
}

/** @param {Hours} hours */
export function hoursWords({ days, from, to }) {
  return t("js.admin.group_hours", { days: days.map((day) => dayName("short", day)).join(" "), from, to })
}

/** What is hidden is not sent. @param {HTMLElement} part @param {boolean} wanted */
function show(part, wanted) {
  part.hidden = !wanted
  for (const input of part.querySelectorAll("input")) input.disabled = !wanted
}

/** What the group's people lose, a line each; "" where they lose nothing. @param {Wanted} before @param {Wanted} after */
function consequences(before, after) {
  const lines = []
  if (after.supervised && !before.supervised) lines.push(t("js.admin.access_supervised"))
  if (before.api && !after.api) lines.push(t("js.admin.access_no_api"))
  if (before.sharing && !after.sharing) lines.push(t("js.admin.access_no_sharing"))
  if (before.web_search && !after.web_search) lines.push(t("js.admin.access_no_search"))
  const lost = after.models && (!before.models || before.models.some((name) => !after.models?.includes(name)))
  if (lost) lines.push(t("js.admin.access_models", { names: after.models?.join(" · ") ?? "" }))
  const changed = JSON.stringify(after.hours) !== JSON.stringify(before.hours)
  if (after.hours && changed) lines.push(t("js.admin.access_hours", { hours: hoursWords(after.hours) }))
  return lines.join("\n")
}

export class GroupAccess {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-access-form]"))
  #hoursPart = must(this.#form, "[data-hours-part]")
  #modelsPart = must(this.#form, "[data-models-part]")
  #id = ""
  #name = ""
  /** What the group has. @type {Wanted} */
  #before = { api: true, sharing: true, web_search: true, models: null, hours: null, supervised: false }

  /** @param {(id: string) => Promise<void>} saved */
  constructor(saved) {
    for (const place of this.#form.querySelectorAll("[data-day]")) {
      if (place instanceof HTMLElement) place.textContent = dayName("long", Number(place.dataset.day))
    }
    this.#form.addEventListener("change", () => this.#showParts())
    onSubmit(this.#form, async (values) => {
      const models = "some" in values ? this.#models().filter(({ checked }) => checked).map(({ value }) => value) : null
      const wanted = { api: "api" in values, sharing: "sharing" in values, web_search: "web_search" in values, models, hours: this.#hours(values), supervised: "supervised" in values }
      const text = consequences(this.#before, wanted)
      const words = { title: t("js.admin.access_title", { name: this.#name }), text, action: t("js.admin.access_action") }
      if (text && !(await confirmDialog(words))) return
      await api.put(`/api/admin/groups/${this.#id}/access`, wanted)
      this.#form.closest("dialog")?.close()
      await saved(this.#id)
      toast(t("js.admin.group_saved", { name: this.#name }))
    })
  }

  /** @param {{id: string, name: string, access: Access, supervised_since: string | null}} group */
  ask({ id, name, access, supervised_since: since }) {
    this.#id = id
    this.#name = name
    const hours = access.hours ?? USUAL
    fill(this.#form, { title: t("js.admin.access_of", { name }) })
    this.#field("api").checked = access.api
    this.#field("sharing").checked = access.sharing
    this.#field("web_search").checked = access.web_search
    this.#before = { ...access, supervised: since !== null }
    this.#field("supervised").checked = this.#before.supervised
    this.#field("some").checked = access.models !== null
    for (const input of this.#models()) input.checked = access.models?.includes(input.value) ?? false
    this.#field("limited").checked = access.hours !== null
    for (let day = 1; day <= 7; day += 1) this.#field(`day${day}`).checked = hours.days.includes(day)
    this.#field("from").value = hours.from
    this.#field("to").value = hours.to === "24:00" ? MIDNIGHT : hours.to
    this.#showParts()
    openDialog("access-dialog")
  }

  /** The midnight that a day ends with is 24:00. @param {Record<string, string>} values */
  #hours({ limited, from = "", to = "", ...others }) {
    if (!limited) return null
    const days = Object.keys(others).filter((name) => name.startsWith("day")).map((name) => Number(others[name]))
    return { days, from, to: to === MIDNIGHT ? "24:00" : to }
  }

  #showParts() {
    show(this.#modelsPart, this.#field("some").checked)
    show(this.#hoursPart, this.#field("limited").checked)
  }

  #models() {
    return /** @type {HTMLInputElement[]} */ ([...this.#modelsPart.querySelectorAll("input")])
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (must(this.#form, `[name="${name}"]`))
  }
}
