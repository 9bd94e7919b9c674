// @ts-check
/** Entry of the prices: what every model costs now, before and later; a new price, and one that is planned corrected. */
import { countryName, priceCard } from "app/admin/price-cards.js"
import { PriceForm } from "app/admin/price-form.js"
import { api } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, pageState, tell, toast } from "app/ui.js"

/**
 * @typedef {import("app/admin/price-cards.js").ModelPrices} ModelPrices
 * @typedef {import("app/admin/price-cards.js").Tariff} Tariff
 * @typedef {{country: string, year: number, known: boolean, soon: boolean}} Doubt holidays that are not sure from a year on
 * @typedef {{models: ModelPrices[], doubts: Doubt[]}} Reply
 */

const PATH = "/api/admin/tariffs"
const list = must(document, "[data-prices]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-price-form]"))
const state = pageState("admin-state")
const fields = new PriceForm(form, state.countries, document.documentElement.dataset.timezone ?? "UTC")
/** @type {ModelPrices[]} */
let models = []
/** The planned price that is being corrected. @type {Tariff | null} */
let corrected = null

show(state)

must(document, "[data-new-price]").addEventListener("click", () => ask("", "CNY", null))

list.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button")
  const model = models.find((each) => each.model === card(button)?.dataset.model)
  if (!button || !model) return
  if ("newPriceOf" in button.dataset) askNew(model)
  const found = planned(model, button)
  if (!found) return
  if ("editPrice" in button.dataset) correct(model, found.currency, found.tariff)
  if ("removePrice" in button.dataset) remove(model, found.tariff)
})

onSubmit(form, async (values) => {
  const terms = fields.terms(values)
  const { model = "", currency = "" } = values
  const reply = corrected ? await api.put(`${PATH}/${corrected.id}`, terms) : await api.post(PATH, { model, currency, ...terms })
  form.closest("dialog")?.close()
  show(reply)
  focus(model.trim())
  toast(t("js.admin.price_saved", { model: model.trim() }))
})

/** @param {Reply} reply */
function show({ models: all, doubts }) {
  models = all
  must(document, "[data-doubts]").replaceChildren(...doubts.map(doubtOf))
  must(document, "[data-doubts]").hidden = !doubts.length
  list.replaceChildren(...all.map(priceCard))
  must(document, "[data-prices-none]").hidden = all.length > 0
  must(document, "#known-models").replaceChildren(...all.map(({ model }) => new Option(model, model)))
}

/** @param {Doubt} doubt */
function doubtOf({ country, year, known, soon }) {
  const text = t(`js.admin.holidays_${known ? "unconfirmed" : "unknown"}`, { country: countryName(country), year: String(year) })
  const element = fromTemplate("doubt-template", { text })
  element.className = soon ? "notice notice--warn" : "muted small"
  return element
}

/** From what it costs now, in the currency that lacks a price or else the first. @param {ModelPrices} model */
function askNew({ model, lines }) {
  const lacking = lines.find(({ billed, tariffs }) => billed && !tariffs.some(isCurrent))
  const line = lacking ?? lines.find(({ billed }) => billed) ?? lines[0]
  ask(model, line?.currency ?? "CNY", line?.tariffs.find(isCurrent) ?? null)
}

/** @param {string} model @param {string} currency @param {Tariff | null} from */
function ask(model, currency, from) {
  corrected = null
  fill(form, { title: model ? t("js.admin.price_new_of", { model }) : t("js.admin.price_new") })
  fields.fill({ model, currency, fixed: false }, from, null)
  openDialog("price-dialog")
}

/** @param {ModelPrices} model @param {string} currency @param {Tariff} tariff */
function correct({ model }, currency, tariff) {
  corrected = tariff
  fill(form, { title: t("js.admin.price_edit_of", { model, time: formatDateTime(tariff.starts_at) }) })
  fields.fill({ model, currency, fixed: true }, tariff, tariff.starts_at)
  openDialog("price-dialog")
}

/** @param {ModelPrices} model @param {Tariff} tariff */
async function remove({ model }, { id, starts_at: starts }) {
  const time = formatDateTime(starts)
  const words = { title: t("js.admin.price_remove_title"), text: t("js.admin.price_remove_text", { model, time }), action: t("js.admin.price_remove") }
  if (!(await confirmDialog(words))) return
  try {
    show(await api.delete(`${PATH}/${id}`))
    focus(model)
    toast(t("js.admin.price_removed", { model }))
  } catch (error) {
    tell(error)
  }
}

/** @param {ModelPrices} model @param {HTMLElement} button */
function planned({ lines }, button) {
  const id = /** @type {HTMLElement | null} */ (button.closest("[data-id]"))?.dataset.id
  for (const { currency, tariffs } of lines) {
    const tariff = tariffs.find((each) => each.id === id)
    if (tariff) return { currency, tariff }
  }
  return null
}

/** @param {Element | null} inside */
function card(inside) {
  return /** @type {HTMLElement | null | undefined} */ (inside?.closest("[data-model]"))
}

/** @param {string} model */
function focus(model) {
  const element = [...list.children].find((each) => /** @type {HTMLElement} */ (each).dataset.model === model)
  if (element) must(element, "[data-new-price-of]").focus()
}

/** @param {Tariff} tariff */
const isCurrent = ({ state: when }) => when === "current"
