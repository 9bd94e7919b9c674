// @ts-check
/** Entry of the reconciliation: days of accounts, what could explain a difference, acknowledging it, the threshold. */
import { showClues } from "app/admin/clues.js"
import { amountOf, typedAmount } from "app/amounts.js"
import { api } from "app/api.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { formatDate, formatDateTime, formatMoney, formatNumber, formatPercent, t } from "app/i18n.js"
import { fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {object} Day amounts are millionths of the currency; positive drift: the provider took more than was booked
 * @property {string} id
 * @property {string} day
 * @property {string} account
 * @property {string} provider
 * @property {string} currency
 * @property {string} since
 * @property {string} until
 * @property {number} readings
 * @property {number} start
 * @property {number} end
 * @property {number} booked
 * @property {Record<string, number>} aside differences that are no drift, by their reason
 * @property {number} drift
 * @property {number} slack
 * @property {"drift" | "known" | "partial" | "even"} state
 * @property {{key_id: string, label: string, micros: number}[]} keys
 * @property {string | null} note
 * @property {string | null} known_by
 * @property {string | null} known_at
 *
 * @typedef {{first: string, last: string, timezone: string, threshold: {absolute: number, permille: number}, unread: {account: string, provider: string, since: string}[], days: Day[]}} Page
 */

const PATH = "/api/admin/reconciliations"
const ANY_CURRENCY = "XXX" // ISO 4217: no currency; the threshold holds in each account's own
const BADGES = /** @type {const} */ ({ drift: "badge--danger", known: "badge--warn", partial: "badge--accent", even: "badge--ok" })
const LEAST_SHARE = 1000 // one part of so many is worth to be told
const PERCENT = /^(\d{1,3})(?:[.,](\d))?$/
const list = must(document, "[data-days]")
const filters = /** @type {HTMLFormElement} */ (must(document, "[data-filters]"))
const acknowledging = /** @type {HTMLFormElement} */ (must(document, "[data-acknowledge-form]"))
const limiting = /** @type {HTMLFormElement} */ (must(document, "[data-threshold-form]"))
/** @type {Map<string, Day>} */
const days = new Map()
/** @type {Day | undefined} */
let acknowledged
let threshold = { absolute: 0, permille: 0 }

show(pageState("admin-state"))
addEventListener("pageshow", showWanted) // a page gone back to keeps what was being typed when it was left
filters.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name)
})

list.addEventListener("click", async (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-explain], [data-acknowledge]")
  const row = button?.closest("[data-id]")
  const day = row instanceof HTMLElement ? days.get(row.dataset.id ?? "") : undefined
  if (!day || !(button instanceof HTMLElement)) return
  if (button.matches("[data-acknowledge]")) askToAcknowledge(day)
  else await explain(day, button)
})

onSubmit(acknowledging, async ({ note }) => {
  if (!acknowledged) return
  const day = await api.put(`${PATH}/${acknowledged.id}/acknowledgement`, { note })
  acknowledging.closest("dialog")?.close()
  days.set(day.id, day)
  must(list, `[data-id="${day.id}"]`).replaceWith(row(day))
  must(list, `[data-id="${day.id}"] [data-explain]`).focus()
  toast(t("js.reconciliation.acknowledged", whereOf(day)))
})

must(document, "[data-threshold]").addEventListener("click", () => {
  clearFieldErrors(limiting)
  field(limiting, "absolute").value = typedAmount(threshold.absolute, ANY_CURRENCY)
  field(limiting, "share").value = String(threshold.permille / 10)
  openDialog("threshold-dialog")
})

onSubmit(limiting, async ({ absolute: typed = "", share = "" }) => {
  clearFieldErrors(limiting)
  const absolute = amountOf(typed, ANY_CURRENCY)
  const [, whole, tenth = "0"] = PERCENT.exec(share.normalize("NFKC").trim()) ?? []
  if (absolute === null || !Number.isSafeInteger(absolute)) return showFieldError(limiting, "absolute", t("js.budget.bad_money", { text: typed }))
  if (whole === undefined || Number(whole + tenth) > 1000) return showFieldError(limiting, "share", t("js.reconciliation.bad_share", { text: share }))
  show(await api.put(`${PATH}/threshold${location.search}`, { absolute, permille: Number(whole + tenth) }))
  limiting.closest("dialog")?.close()
  toast(t("js.reconciliation.threshold_saved", { amount: typedAmount(absolute, ANY_CURRENCY), share: formatPercent(threshold.permille / 1000) }))
})

/** @param {Page} page */
function show(page) {
  threshold = page.threshold
  days.clear()
  for (const day of page.days) days.set(day.id, day)
  list.replaceChildren(...page.days.map(row))
  must(document, "[data-days-none]").hidden = days.size > 0
  const unread = must(document, "[data-unread]")
  unread.hidden = page.unread.length === 0
  slot(unread, "accounts").replaceChildren(...page.unread.map(({ account, provider, since }) => remark(t("js.reconciliation.unread", { account, provider, time: formatDateTime(since) }))))
  showWanted()
}

function showWanted() {
  const wanted = new URLSearchParams(location.search)
  for (const name of ["from", "to"]) field(filters, name).value = wanted.get(name) ?? ""
}

/** @param {HTMLElement} form @param {string} name */
function field(form, name) {
  return /** @type {HTMLInputElement} */ (must(form, `[name="${name}"]`))
}

/** @param {Day} day */
function row(day) {
  const { id, currency, state, since, until, readings, keys } = day
  const money = (/** @type {number} */ micros) => formatMoney(micros, currency)
  const shares = keys.map(({ label, micros }) => t("js.reconciliation.key", { label, amount: money(micros) }))
  const element = fromTemplate("day-template", {
    day: formatDate(day.day),
    account: day.account,
    provider: day.provider,
    state: t(`js.reconciliation.state_${state}`),
    start: money(day.start),
    end: money(day.end),
    other: otherOf(day),
    booked: money(day.booked),
    drift: driftOf(day),
    window: t("js.reconciliation.window", { from: formatDateTime(since), to: formatDateTime(until), count: formatNumber(readings) }),
    keys: t("js.reconciliation.keys", { keys: shares.join(t("js.admin.separator")) }),
    known: knownOf(day),
  })
  element.dataset.id = id
  element.classList.toggle("entry--drift", state === "drift")
  slot(element, "state").classList.add(BADGES[state])
  slot(element, "keys").hidden = keys.length < 2
  slot(element, "known").hidden = !day.known_at
  slot(element, "remarks").replaceChildren(...remarksOf(day).map(remark))
  slot(element, "remarks").hidden = !slot(element, "remarks").childElementCount
  must(element, "[data-acknowledge]").hidden = state !== "drift"
  for (const act of ["explain", "acknowledge"]) must(element, `[data-${act}]`).setAttribute("aria-label", t(`js.reconciliation.${act}_of`, whereOf(day)))
  return element
}

/** How the balance moved beside use and drift. @param {Day} day */
function otherOf({ aside, currency }) {
  const micros = -Object.values(aside).reduce((sum, each) => sum + each, 0)
  const amount = formatMoney(micros || 0, currency)
  return micros > 0 ? t("js.reconciliation.gained", { amount }) : amount
}

/** @param {Day} day */
function driftOf({ drift, booked, currency }) {
  const amount = formatMoney(drift, currency)
  return Math.abs(drift) * LEAST_SHARE >= booked && drift && booked ? t("js.reconciliation.percent", { amount, share: formatPercent(drift / booked) }) : amount
}

/** @param {Day} day @returns {string[]} */
function remarksOf({ aside, slack, state, currency }) {
  const words = Object.entries(aside).map(([reason, micros]) => t(`js.reconciliation.aside_${reason}`, { amount: formatMoney(Math.abs(micros), currency) }))
  if (slack && state !== "even") words.push(t("js.reconciliation.slack", { amount: formatMoney(slack, currency) }))
  return words
}

/** @param {string} words */
function remark(words) {
  const item = document.createElement("li")
  item.textContent = words
  return item
}

/** @param {Day} day */
function knownOf({ known_at: at, known_by: who, note }) {
  return at ? t("js.reconciliation.known", { who: who ?? t("js.admin.command_line"), time: formatDateTime(at), note: note ?? "" }) : ""
}

/** @param {Day} day */
function whereOf({ account, day }) {
  return { account, day: formatDate(day) }
}

/** @param {Day} day */
function askToAcknowledge(day) {
  acknowledged = day
  acknowledging.reset()
  fill(acknowledging, { what: whatDiffers(day) })
  openDialog("acknowledge-dialog")
}

/** @param {Day} day */
function whatDiffers({ drift, currency }) {
  const amount = formatMoney(Math.abs(drift), currency)
  if (drift === 0) return t("js.reconciliation.nothing_differs")
  return drift > 0 ? t("js.reconciliation.more_taken", { amount }) : t("js.reconciliation.less_taken", { amount })
}

/** @param {Day} asked @param {HTMLElement} button */
async function explain(asked, button) {
  button.setAttribute("aria-busy", "true")
  try {
    const { day, clues } = await api.get(`${PATH}/${asked.id}`)
    const dialog = must(document, "#clues-dialog")
    fill(dialog, { title: t("js.reconciliation.clues_of", whereOf(day)), text: whatDiffers(day) })
    showClues(dialog, day, clues)
    openDialog("clues-dialog")
  } catch (error) {
    tell(error)
  } finally {
    button.removeAttribute("aria-busy")
  }
}
