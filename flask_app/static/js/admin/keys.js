// @ts-check
/** Entry of the API keys: add, test, edit, disable, delete. A secret goes out once and never comes back. */
import { KeyCards } from "app/admin/key-cards.js"
import { RowMenu } from "app/admin/row-menu.js"
import { withParameter } from "app/addresses.js"
import { amountOf, typedAmount } from "app/amounts.js"
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { confirmDialog, fill, must, onSubmit, openDialog, pageState, showFormError, tell, toast } from "app/ui.js"

/** @typedef {import("app/admin/key-cards.js").Key} Key */

const PATH = "/api/admin/keys"
const MONEY = "money" // of any currency
const REFRESH_SECONDS = 15
const list = must(document, "[data-keys]")
const { keys, searches_by: searchesBy } = pageState("admin-state")
const cards = new KeyCards(list, keys)
const menu = new RowMenu(list)

/** @type {Record<string, (key: Key) => Promise<void>>} */
const acts = { edit: askPlace, balance: readBalance, disable: toggleDisabled, delete: remove, records: async () => {} }

menu.addEventListener("open", (event) => {
  const key = cards.get(/** @type {CustomEvent} */ (event).detail.id)
  const link = /** @type {HTMLAnchorElement} */ (menu.item("records"))
  link.href = withParameter("/admin/records", "key", key.id)
  menu.item("delete").hidden = key.from_environment
  menu.item("balance").hidden = key.provider.balance_offered === false
  fill(menu.item("disable"), { "disable-act": t(key.disabled ? "js.admin.enable" : "js.admin.disable") })
})

menu.addEventListener("act", (event) => {
  const { id, act } = /** @type {CustomEvent} */ (event).detail
  attempt(async () => acts[act]?.(cards.get(id)))
})

list.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-test], [data-clear-bench]")
  const card = button?.closest("[data-id]")
  if (!(button instanceof HTMLElement) || !(card instanceof HTMLElement)) return
  const id = card.dataset.id ?? ""
  attempt(() => ("test" in button.dataset ? cards.test(id) : clearBench(cards.get(id))))
})

setInterval(() => {
  if (!document.hidden) cards.refresh()
}, REFRESH_SECONDS * 1000)

const form = /** @type {HTMLFormElement} */ (must(document, "[data-new-key]"))
const preset = /** @type {HTMLSelectElement} */ (must(form, "[data-preset]"))
preset.addEventListener("change", showOtherPart)
form.closest("dialog")?.addEventListener("close", () => {
  form.reset()
  showOtherPart()
})
for (const button of document.querySelectorAll("[data-add-key]")) button.addEventListener("click", () => openDialog("add-key-dialog"))
nameCurrencies()
showOtherPart()

onSubmit(form, async ({ preset: chosen, label, secret, currency, provider_name: name, base_url: address }) => {
  const other = chosen === "other" ? { base_url: address, ...(name ? { provider_name: name } : {}) } : {}
  const key = await api.post(PATH, { label, secret, currency, ...other })
  form.closest("dialog")?.close()
  cards.add(key)
  if (key.last_error) return toast(t("js.admin.key_added_unused", { name: key.label }), { kind: "danger" })
  toast(t("js.admin.key_added", { name: key.label }))
  await cards.test(key.id)
})

/** @type {Key | null} */
let edited = null
const editForm = /** @type {HTMLFormElement} */ (must(document, "[data-edit-key]"))
onSubmit(editForm, async (values) => {
  if (!edited) return
  const { id, provider } = edited
  const typed = values["edit-low_balance"]?.trim() ?? ""
  const low = typed ? amountOf(typed, MONEY) : null
  if (typed && (low === null || !Number.isSafeInteger(low))) {
    showFormError(editForm, t("js.warnings.bad_threshold", { text: typed }))
    return
  }
  const key = await api.patch(`${PATH}/${id}`, {
    label: values["edit-label"],
    priority: Number(values["edit-priority"]),
    weight: Number(values["edit-weight"]),
    max_concurrent: values["edit-max_concurrent"] ? Number(values["edit-max_concurrent"]) : null,
    account: values["edit-account"]?.trim() || null,
    low_balance_micros: low,
  })
  const place = Number(values["edit-provider_priority"])
  if (place !== provider.priority) key.provider = await api.patch(`/api/admin/providers/${provider.id}`, { priority: place })
  editForm.closest("dialog")?.close()
  cards.update(key)
  await cards.refresh() // the account and the provider may concern others
  toast(t("js.admin.key_saved", { name: key.label }))
})

/** @param {Key} key */
async function askPlace(key) {
  edited = key
  const { label, priority, weight, max_concurrent: cap, account, low_balance_micros: low, provider } = key
  const values = {
    label,
    priority,
    weight,
    max_concurrent: cap ?? "",
    account: account ?? "",
    low_balance: low === null ? "" : typedAmount(low, MONEY),
    provider_priority: provider.priority,
  }
  for (const [name, value] of Object.entries(values)) {
    const input = /** @type {HTMLInputElement} */ (must(editForm, `[name="edit-${name}"]`))
    input.value = String(value)
  }
  openDialog("edit-key-dialog")
}

/** @param {Key} key */
async function readBalance({ id, label: name }) {
  cards.update(await api.post(`${PATH}/${id}/balance`))
  await cards.refresh() // the others of its account
  toast(t("js.admin.balance_read", { name }))
}

/** @param {Key} key */
async function clearBench({ id, label: name }) {
  cards.update(await api.delete(`${PATH}/${id}/bench`))
  await cards.refresh() // the others of its account
  toast(t("js.admin.bench_cleared", { name }))
}

/** @param {Key} key */
async function toggleDisabled(key) {
  const { id, label: name, disabled } = key
  const text = withSearch(key, t("js.admin.disable_key_text"))
  const words = { title: t("js.admin.disable_key_title", { name }), text, action: t("js.admin.disable") }
  if (!disabled && !(await confirmDialog(words))) return
  cards.update(await api.patch(`${PATH}/${id}`, { disabled: !disabled }))
  toast(t(disabled ? "js.admin.key_enabled" : "js.admin.key_disabled", { name }))
}

/** @param {Key} key */
async function remove(key) {
  const { id, label: name } = key
  const text = withSearch(key, t("js.admin.delete_key_text"))
  const words = { title: t("js.admin.delete_key_title", { name }), text, action: t("js.admin.delete") }
  if (!(await confirmDialog(words))) return
  await api.delete(`${PATH}/${id}`)
  cards.remove(id)
  must(document, "[data-add-key]").focus()
  toast(t("js.admin.key_deleted", { name }))
}

/** What is lost beside the key: without the last of them nobody can search the web. @param {Key} key @param {string} text */
function withSearch({ id, provider, disabled }, text) {
  const isLast = !disabled && provider.id === searchesBy && !cards.all.some((other) => other.id !== id && other.provider.id === provider.id && !other.disabled)
  return isLast ? `${text}\n${t("js.admin.key_of_search")}` : text
}

/** @param {() => Promise<void>} act */
async function attempt(act) {
  try {
    await act()
  } catch (error) {
    tell(error)
  }
}

function showOtherPart() {
  const other = preset.value === "other"
  const part = must(form, "[data-other-part]")
  part.hidden = !other
  for (const field of part.querySelectorAll("input")) field.disabled = !other
}

/** "CNY" becomes "CNY · 人民币" in the reader's language. */
function nameCurrencies() {
  const names = new Intl.DisplayNames(document.documentElement.lang, { type: "currency" })
  for (const option of must(form, "[data-currencies]").querySelectorAll("option")) option.textContent = `${option.value} · ${names.of(option.value)}`
}
