// @ts-check
/** Entry of the models: their other names, who follows one that is no longer offered, which of them writes titles, and which makes vectors. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, toast } from "app/ui.js"

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {string} name
 * @property {string} provider
 * @property {boolean} listed by its provider
 * @property {boolean} offered it can be asked now
 * @property {string | null} successor_id
 * @property {string[]} aliases
 * @property {number | null} context_tokens its window, where that is known
 * @property {boolean} sees pictures may be sent to it
 */

const PATH = "/api/admin/models"
const DEFAULT = "default" // in the place of an id: the model that new chats begin with
const list = must(document, "[data-models]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-edit-model]"))
const aliases = /** @type {HTMLTextAreaElement} */ (must(form, '[name="aliases"]'))
const successor = /** @type {HTMLSelectElement} */ (must(form, '[name="successor"]'))
const contextWindow = /** @type {HTMLInputElement} */ (must(form, '[name="window"]'))
const sees = /** @type {HTMLInputElement} */ (must(form, '[name="sees"]'))
const titles = /** @type {HTMLFormElement} */ (must(document, "[data-titles]"))
const writer = /** @type {HTMLSelectElement} */ (must(titles, '[name="model"]'))
const embeddings = /** @type {HTMLFormElement} */ (must(document, "[data-embeddings]"))
const maker = /** @type {HTMLSelectElement} */ (must(embeddings, '[name="model"]'))
/** @type {Model[]} */
let models = []
/** @type {Model | null} */
let edited = null

const state = pageState("admin-state")
show(state.models)
offerWriters(state.titles_by)
offerMakers(state.embeddings_by)

list.addEventListener("click", (event) => {
  const row = /** @type {Element} */ (event.target).closest("[data-edit]")?.closest("[data-id]")
  const model = row instanceof HTMLElement && models.find(({ id }) => id === row.dataset.id)
  if (model) edit(model)
})

onSubmit(form, async (values) => {
  if (!edited) return
  const { id, name } = edited
  const names = (values.aliases ?? "").split("\n").filter((alias) => alias.trim())
  const reply = await api.put(`${PATH}/${id}`, {
    successor_id: values.successor || null,
    aliases: names,
    context_tokens: values.window ? Number(values.window) : null,
    sees: sees.checked,
  })
  form.closest("dialog")?.close()
  show(reply.models)
  must(list, `[data-id="${id}"] [data-edit]`).focus()
  toast(t("js.admin.model_saved", { name }))
})

onSubmit(titles, async ({ model }) => {
  offerWriters((await api.put(`${PATH}/titles`, { model_id: model || null })).titles_by)
  const name = model === DEFAULT ? t("js.admin.titles_default") : models.find(({ id }) => id === model)?.name
  toast(model ? t("js.admin.titles_saved", { name: name ?? "" }) : t("js.admin.titles_off"))
})

onSubmit(embeddings, async ({ model }) => {
  offerMakers((await api.put(`${PATH}/embeddings`, { model_id: model || null })).embeddings_by)
  const name = models.find(({ id }) => id === model)?.name
  toast(model ? t("js.admin.embeddings_saved", { name: name ?? "" }) : t("js.admin.embeddings_off"))
})

/** @param {string | null} chosen the model's id, or DEFAULT */
function offerWriters(chosen) {
  offer(writer, [new Option(t("js.admin.titles_default"), DEFAULT), new Option(t("js.admin.titles_none"), "")], chosen)
}

/** @param {string | null} chosen the model's id */
function offerMakers(chosen) {
  offer(maker, [new Option(t("js.admin.embeddings_none"), "")], chosen)
}

/** @param {HTMLSelectElement} select @param {HTMLOptionElement[]} usual @param {string | null} chosen */
function offer(select, usual, chosen) {
  select.replaceChildren(...usual, ...optionsOf(models.filter(({ id, offered }) => offered || id === chosen)))
  select.value = chosen ?? ""
}

/** @param {Model[]} some */
function optionsOf(some) {
  return some.map(({ id, name, provider }) => new Option(`${name} · ${provider}`, id))
}

/** @param {Model[]} all */
function show(all) {
  models = all
  list.replaceChildren(...all.map(row))
  must(document, "[data-models-none]").hidden = all.length > 0
}

/** @param {Model} model */
function row(model) {
  const { id, name, provider, offered, listed } = model
  const state = offered ? "offered" : listed ? "unreachable" : "retired"
  const element = fromTemplate("model-template", { name, provider, state: t(`js.admin.model_state_${state}`) })
  element.dataset.id = id
  slot(element, "state").classList.toggle("badge--ok", offered)
  say(element, "sees", model.sees ? t("js.admin.model_sees") : "")
  say(element, "aliases", model.aliases.length ? t("js.admin.aliases_are", { names: model.aliases.join(t("js.admin.separator")) }) : "")
  say(element, "follower", followerOf(model))
  must(element, "[data-edit]").setAttribute("aria-label", t("js.admin.edit_model", { name }))
  return element
}

/** @param {HTMLElement} element @param {string} name @param {string} words */
function say(element, name, words) {
  slot(element, name).textContent = words
  slot(element, name).hidden = !words
}

/** @param {Model} model */
function followerOf({ offered, successor_id: id }) {
  const follower = models.find((model) => model.id === id)
  if (follower) return t("js.admin.followed_by", { name: follower.name })
  return offered ? "" : t("js.admin.followed_by_default")
}

/** @param {Model} model */
function edit(model) {
  edited = model
  fill(form, { title: model.name })
  aliases.value = model.aliases.join("\n")
  const others = models.filter(({ id, offered }) => id !== model.id && (offered || id === model.successor_id))
  successor.replaceChildren(new Option(t("js.admin.default_model"), ""), ...optionsOf(others))
  successor.value = model.successor_id ?? ""
  contextWindow.value = String(model.context_tokens ?? "")
  sees.checked = model.sees
  openDialog("edit-model-dialog")
}
