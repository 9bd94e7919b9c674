// @ts-check
/** Entry of the redeem codes: batches and what became of them; make, revoke. */
import { BatchCodes } from "app/admin/batch-codes.js"
import { showMade } from "app/admin/made-codes.js"
import { withParameter } from "app/addresses.js"
import { amountOf } from "app/amounts.js"
import { ApiError, api } from "app/api.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { formatAmount, formatDateTime, formatNumber, sentence, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { confirmDialog, fromTemplate, must, onSubmit, openDialog, pageState, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {object} Batch
 * @property {string} id
 * @property {string} label
 * @property {string} unit
 * @property {number} amount
 * @property {number} count
 * @property {number} open
 * @property {number} redeemed
 * @property {number} revoked
 * @property {number} expired
 * @property {string | null} by
 * @property {string} created_at
 * @property {string | null} expires_at
 */

const PATH = "/api/admin/code-batches"
const TOKENS = "tokens"
const STATES = /** @type {const} */ (["open", "redeemed", "revoked", "expired"])
/** Beside which field a refusal is said. @type {Record<string, string>} */
const FIELDS = { bad_code_amount: "amount", bad_code_count: "count", bad_currency: "currency", currency_is_called: "currency", currency_not_billed: "currency", bad_expiry: "expires_on", bad_reason: "label" }
const list = must(document, "[data-batches]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-batch-form]"))
const more = must(document, "[data-batches-more]")
const codes = new BatchCodes(must(document, "#codes-dialog"), keep)
/** @type {Map<string, Batch>} */
const batches = new Map()
/** @type {string | null} */
let next = null

append(pageState("admin-state"))

onMore(more, loadMore)
must(document, "[data-new-batch]").addEventListener("click", () => {
  form.reset()
  clearFieldErrors(form)
  showUnit()
  openDialog("batch-dialog")
})
list.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-show-codes], [data-revoke]")
  const row = button?.closest("[data-id]")
  const batch = row instanceof HTMLElement && batches.get(row.dataset.id ?? "")
  if (!batch) return
  if (button?.matches("[data-show-codes]")) codes.open(batch)
  else revoke(batch)
})
form.addEventListener("change", showUnit)
form.addEventListener("input", showAmount)
onSubmit(form, async (values) => {
  clearFieldErrors(form)
  const amount = amountOf(values.amount ?? "", unitOf(values))
  if (amount === null || !Number.isSafeInteger(amount)) {
    showFieldError(form, "amount", t(`js.budget.bad_${unitOf(values) === TOKENS ? "tokens" : "money"}`, { text: values.amount ?? "" }))
    return
  }
  try {
    const made = await api.post(PATH, { label: values.label, count: Number(values.count), unit: unitOf(values), amount, expires_on: values.expires_on || null })
    form.closest("dialog")?.close()
    keep(made.batch)
    showMade(made)
  } catch (error) {
    const field = error instanceof ApiError ? FIELDS[error.code] : undefined
    if (!field) throw error
    showFieldError(form, field, sentence(error))
  }
})

function showUnit() {
  const part = /** @type {HTMLFieldSetElement} */ (must(form, "[data-currency-part]"))
  part.hidden = part.disabled = new FormData(form).get("measure") !== "money"
  showAmount()
}

/** How the server will understand what is typed. */
function showAmount() {
  const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))
  const unit = unitOf(values)
  const amount = /^[A-Z]{3}$|^tokens$/.test(unit) ? amountOf(values.amount ?? "", unit) : null
  slot(form, "hint").textContent = amount === null ? t("js.admin.code_amount_hint") : `= ${formatAmount(amount, unit)}`
}

/** @param {Record<string, string>} values */
function unitOf({ measure, currency = "" }) {
  return measure === "money" ? currency.trim().toUpperCase() : TOKENS
}

/** @param {{batches: Batch[], next: string | null}} page */
function append(page) {
  next = page.next
  for (const batch of page.batches) batches.set(batch.id, batch)
  list.append(...page.batches.map(row))
  must(document, "[data-batches-foot]").hidden = !next
  must(document, "[data-batches-none]").hidden = batches.size > 0
}

/** In its place, or a new one at the top. @param {Batch} batch */
function keep(batch) {
  const there = list.querySelector(`[data-id="${batch.id}"]`)
  if (there) there.replaceWith(row(batch))
  else list.prepend(row(batch))
  batches.set(batch.id, batch)
  must(document, "[data-batches-none]").hidden = true
}

/** The button may go: the focus moves on to the first that was not there. */
async function loadMore() {
  const last = list.lastElementChild
  append(await api.get(withParameter(PATH, "before", next ?? "")))
  must(last?.nextElementSibling ?? list, "[data-show-codes]").focus({ preventScroll: true })
}

/** @param {Batch} batch */
function row(batch) {
  const { id, label, unit, amount, count, by, created_at: made, expires_at: end } = batch
  const states = STATES.filter((state) => batch[state] > 0).map((state) => t(`js.admin.codes_${state}`, { count: formatNumber(batch[state]) }))
  const words = { who: by ?? t("js.admin.command_line"), time: formatDateTime(made) }
  const element = fromTemplate("batch-template", {
    label,
    worth: t("js.admin.codes_worth", { count: formatNumber(count), amount: formatAmount(amount, unit) }),
    states: states.join(" · "),
    made: end ? t("js.admin.codes_made_until", { ...words, end: formatDateTime(end) }) : t("js.admin.codes_made", words),
  })
  element.dataset.id = id
  must(element, "[data-show-codes]").setAttribute("aria-label", t("js.admin.codes_of", { label }))
  must(element, "[data-revoke]").setAttribute("aria-label", t("js.admin.codes_revoke", { label }))
  must(element, "[data-revoke]").hidden = batch.open === 0
  return element
}

/** @param {Batch} batch */
async function revoke({ id, label, open }) {
  const words = { title: t("js.admin.codes_revoke_title"), text: t("js.admin.codes_revoke_text", { label, count: formatNumber(open) }), action: t("js.admin.codes_revoke_action") }
  if (!(await confirmDialog(words))) return
  try {
    keep(await api.delete(`${PATH}/${id}`))
    must(list, `[data-id="${id}"] [data-show-codes]`).focus()
    toast(t("js.admin.codes_gone", { label }))
  } catch (error) {
    tell(error)
  }
}
