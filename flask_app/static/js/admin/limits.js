// @ts-check
/** Entry of the rate limits: what the whole site and each group have set, each changed in one dialog. */
import { api } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, toast } from "app/ui.js"

/**
 * @typedef {{amount: number | null, seconds: number}} Rate amount null: no limit
 * @typedef {Record<string, Rate | null>} Rates null: as elsewhere
 * @typedef {{usual: Rates, site: Rates, groups: {group: {id: string, name: string}, rates: Rates}[]}} State
 * @typedef {{path: string, name: string, rates: Rates, elsewhere: Rates, kinds: string[]}} Scope
 */

const PATH = "/api/admin/rates"
const OF_GROUPS = ["messages", "downloads", "requests"]
const OF_SITE = [...OF_GROUPS, "visits"]
/** @type {Record<number, string>} */
const UNITS = { 1: "second", 60: "minute", 3600: "hour", 86400: "day" }

const list = must(document, "[data-limits]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-limits-form]"))
/** @type {Scope[]} */
let scopes = []
/** The one that the form is open for. @type {Scope | undefined} */
let edited

show(pageState("admin-state"))

list.addEventListener("click", (event) => {
  const row = /** @type {Element} */ (event.target).closest("[data-edit]")?.closest("[data-path]")
  const scope = row instanceof HTMLElement && scopes.find(({ path }) => path === row.dataset.path)
  if (scope) edit(scope)
})
form.addEventListener("change", showParts)
onSubmit(form, async (values) => {
  if (!edited) return
  const { path, name, kinds } = edited
  show(await api.put(`${PATH}/${path}`, Object.fromEntries(kinds.map((kind) => [kind, rateOf(kind, values)]))))
  form.closest("dialog")?.close()
  must(list, `[data-path="${path}"] [data-edit]`).focus()
  toast(t("js.admin.limits_saved", { name }))
})

/** @param {string} kind @param {Record<string, string>} values @returns {Rate | null} */
function rateOf(kind, values) {
  const rule = values[`${kind}_rule`]
  if (rule === "inherited") return null
  return rule === "none"
    ? { amount: null, seconds: 60 }
    : { amount: Number(values[`${kind}_amount`]), seconds: Number(values[`${kind}_seconds`]) }
}

/** @param {State} state */
function show({ usual, site, groups }) {
  const ofSite = Object.fromEntries(OF_SITE.map((kind) => [kind, site[kind] ?? usual[kind] ?? null]))
  const whole = { path: "site", name: t("js.admin.limits_site"), rates: site, elsewhere: usual, kinds: OF_SITE }
  const each = groups.map(({ group, rates }) => {
    return { path: `groups/${group.id}`, name: group.name, rates, elsewhere: ofSite, kinds: OF_GROUPS }
  })
  scopes = [whole, ...each]
  list.replaceChildren(...scopes.map(row))
}

/** @param {Scope} scope */
function row({ path, name, rates, elsewhere, kinds }) {
  const element = fromTemplate("limits-template", { name })
  element.dataset.path = path
  must(element, "[data-edit]").setAttribute("aria-label", t("js.admin.edit_limits", { name }))
  const shown = slot(element, "rates")
  for (const kind of kinds) {
    const pair = document.createElement("div")
    const term = document.createElement("dt")
    const value = document.createElement("dd")
    term.textContent = t(`js.admin.limits_${kind}`)
    value.textContent = words(rates[kind] ?? elsewhere[kind] ?? null)
    value.classList.toggle("muted", !rates[kind])
    pair.append(term, value)
    shown.append(pair)
  }
  return element
}

/** @param {Rate | null} rate */
function words(rate) {
  if (!rate?.amount) return t("js.admin.limits_none")
  const unit = UNITS[rate.seconds]
  const count = formatNumber(rate.amount)
  return unit
    ? t(`js.admin.limits_per_${unit}`, { count })
    : t("js.admin.limits_per_seconds", { count, seconds: formatNumber(rate.seconds) })
}

/** @param {Scope} scope */
function edit(scope) {
  edited = scope
  form.reset()
  fill(form, { title: t("js.admin.edit_limits", { name: scope.name }) })
  for (const kind of OF_SITE) fillKind(kind, scope)
  showParts()
  openDialog("limits-dialog")
}

/** @param {string} kind @param {Scope} scope */
function fillKind(kind, { path, rates, elsewhere, kinds }) {
  const part = must(form, `[data-kind="${kind}"]`)
  part.hidden = !kinds.includes(kind)
  const rule = /** @type {HTMLSelectElement} */ (must(part, "[data-rule]"))
  const inherited = /** @type {HTMLOptionElement} */ (must(rule, '[value="inherited"]'))
  const as = path === "site" ? "js.admin.limits_as_usual" : "js.admin.limits_as_site"
  inherited.textContent = t(as, { rate: words(elsewhere[kind] ?? null) })
  const own = rates[kind]
  rule.value = own ? (own.amount ? "limited" : "none") : "inherited"
  const start = own?.amount ? own : elsewhere[kind]
  const amount = /** @type {HTMLInputElement} */ (must(part, "[data-amount]"))
  amount.value = String(start?.amount ?? "")
  chooseTime(/** @type {HTMLSelectElement} */ (must(part, "[data-seconds]")), start?.seconds ?? 60)
}

/** A time that the page does not offer, set elsewhere, stays. @param {HTMLSelectElement} select @param {number} seconds */
function chooseTime(select, seconds) {
  select.querySelector("[data-other]")?.remove()
  if (!(seconds in UNITS)) {
    const option = new Option(t("js.admin.limits_seconds", { seconds: formatNumber(seconds) }), String(seconds))
    option.dataset.other = ""
    select.append(option)
  }
  select.value = String(seconds)
}

function showParts() {
  for (const part of form.querySelectorAll("[data-kind]")) {
    const rule = /** @type {HTMLSelectElement} */ (must(part, "[data-rule]"))
    const wanted = rule.value === "limited" && !(/** @type {HTMLElement} */ (part).hidden)
    for (const name of ["amount", "seconds"]) {
      const field = /** @type {HTMLInputElement} */ (must(part, `[data-${name}]`))
      field.hidden = field.disabled = !wanted
    }
  }
}
