// @ts-check
/** Entry of the groups: add, rename, say what becomes of an answer whose reader left, delete. */
import { withParameter } from "app/addresses.js"
import { GroupAccess, hoursWords } from "app/admin/group-access.js"
import { OpeningBalance } from "app/admin/opening-balance.js"
import { sendMoving } from "app/admin/retention-asked.js"
import { api } from "app/api.js"
import { formatAmount, formatDateTime, formatDayCount, formatNumber, t } from "app/i18n.js"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {object} Group
 * @property {string} id
 * @property {string} name
 * @property {boolean} is_default
 * @property {number} members
 * @property {string[]} managers
 * @property {import("app/admin/group-access.js").Access} access
 * @property {string | null} supervised_since
 * @property {import("app/admin/opening-balance.js").Opening | null} opening
 * @property {"continue" | "limit" | "stop"} on_disconnect
 * @property {number | null} on_disconnect_tokens
 * @property {number} file_quota_mb room for the files of each, in megabytes; 0: they may attach none
 * @property {{days: number | null, file_days: number | null, request_days: number}} kept null: for good, files as long as their conversations
 */

const PATH = "/api/admin/groups"
const USUAL_TOKENS = 1000
const USUAL_QUOTA = 200 // megabytes
const list = must(document, "[data-groups]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-group-form]"))
const managersForm = /** @type {HTMLFormElement} */ (must(document, "[data-managers-form]"))
/** @type {Group[]} */
let groups = []
/** The one that the form is open for; null for a new one. @type {Group | null} */
let edited = null
const access = new GroupAccess((id) => refreshAt(id, "[data-allow]"))
const opening = new OpeningBalance((id) => refreshAt(id, "[data-open]"))

show(pageState("admin-state").groups)

must(document, "[data-add-group]").addEventListener("click", () => edit(null))
list.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-edit], [data-appoint], [data-allow], [data-open], [data-delete]")
  const row = button?.closest("[data-id]")
  const group = row instanceof HTMLElement && groups.find(({ id }) => id === row.dataset.id)
  if (!group) return
  if (button?.matches("[data-edit]")) edit(group)
  else if (button?.matches("[data-appoint]")) askManagers(group)
  else if (button?.matches("[data-allow]")) access.ask(group)
  else if (button?.matches("[data-open]")) opening.ask(group)
  else remove(group)
})

form.addEventListener("change", showTokensPart)
onSubmit(form, async (values) => {
  const choices = choicesOf(values)
  const saved = edited ? await api.patch(`${PATH}/${edited.id}`, choices) : await api.post(PATH, choices)
  form.closest("dialog")?.close()
  await refreshAt(saved.id, "[data-edit]")
  toast(t(edited ? "js.admin.group_saved" : "js.admin.group_added", { name: saved.name }))
})

onSubmit(managersForm, async ({ usernames = "" }) => {
  if (!edited) return
  const { id, name } = edited
  await api.put(`${PATH}/${id}/managers`, { usernames: usernames.split("\n").filter((line) => line.trim()) })
  managersForm.closest("dialog")?.close()
  await refreshAt(id, "[data-appoint]")
  toast(t("js.admin.group_saved", { name }))
})

/** A name that was not touched stays the built-in one, in every language. @param {Record<string, string>} values */
function choicesOf({ name, on_disconnect: policy, tokens, file_quota_mb: quota }) {
  const limit = policy === "limit" ? { on_disconnect_tokens: Number(tokens) } : {}
  return { ...(name === edited?.name ? {} : { name }), on_disconnect: policy, file_quota_mb: Number(quota), ...limit }
}

async function refresh() {
  show((await api.get(PATH)).groups)
}

/** The focus goes back to the button that was pressed. @param {string} id @param {string} button */
async function refreshAt(id, button) {
  await refresh()
  must(list, `[data-id="${id}"] ${button}`).focus()
}

/** @param {Group[]} all */
function show(all) {
  groups = all
  list.replaceChildren(...all.map(row))
}

/** @param {Group} group */
function row({ id, name, is_default: isDefault, members, managers, access: { api: mayAsk, sharing, web_search: maySearch, models, hours }, supervised_since: since, opening: begun, on_disconnect: policy, on_disconnect_tokens: tokens, file_quota_mb: quota, kept }) {
  const element = fromTemplate("group-template", {
    name,
    members: t("js.admin.group_members", { count: formatNumber(members) }),
    policy: t(`js.admin.group_${policy}`, { tokens: formatNumber(tokens ?? 0) }),
  })
  element.dataset.id = id
  fill(element, { managers: t("js.admin.group_managers", { names: managers.join(" · ") }) })
  slot(element, "managers").hidden = !managers.length
  fill(element, { opening: begun ? t("js.admin.opening_each", { amount: formatAmount(begun.amount, begun.unit) }) : "" })
  slot(element, "opening").hidden = !begun
  fill(element, { hours: hours ? hoursWords(hours) : "" })
  slot(element, "hours").hidden = !hours
  fill(element, { models: t("js.admin.group_models", { names: models?.join(" · ") ?? "" }) })
  slot(element, "models").hidden = !models
  fill(element, { files: t(quota ? "js.admin.group_files" : "js.admin.group_no_files", { megabytes: formatNumber(quota) }) })
  slot(element, "files").hidden = quota === USUAL_QUOTA
  showKept(element, id, kept)
  slot(element, "no-api").hidden = mayAsk
  slot(element, "no-sharing").hidden = sharing
  slot(element, "no-search").hidden = maySearch
  fill(element, { supervised: since ? t("js.admin.group_supervised", { time: formatDateTime(since) }) : "" })
  slot(element, "supervised").hidden = !since
  must(element, "[data-allow]").setAttribute("aria-label", t("js.admin.access_of", { name }))
  must(element, "[data-open]").setAttribute("aria-label", t("js.admin.opening_of", { name }))
  must(element, "[data-appoint]").setAttribute("aria-label", t("js.admin.managers_of", { name }))
  slot(element, "default").hidden = !isDefault
  must(element, "[data-edit]").setAttribute("aria-label", t("js.admin.edit_group", { name }))
  must(element, "[data-delete]").setAttribute("aria-label", t("js.admin.delete_group", { name }))
  must(element, "[data-delete]").hidden = isDefault
  return element
}

/** For how long, each with a link to where it is set. @param {HTMLElement} element @param {string} id @param {Group["kept"]} kept */
function showKept(element, id, { days, file_days: ofFiles, request_days: ofRequests }) {
  const time = days ? formatDayCount(days) : t("js.admin.kept_for_good")
  fill(element, {
    kept: ofFiles ? t("js.admin.kept_talks_and_files", { time, files: formatDayCount(ofFiles) }) : t("js.admin.kept_talks", { time }),
    "kept-requests": t("js.admin.kept_requests", { time: formatDayCount(ofRequests) }),
  })
  slot(element, "kept").setAttribute("href", `/admin/settings#kept=${id}`)
  slot(element, "kept-requests").setAttribute("href", `/admin/requests#kept=${id}`)
}

/** @param {Group | null} group */
function edit(group) {
  edited = group
  form.reset()
  fill(form, { title: group ? t("js.admin.edit_group", { name: group.name }) : t("js.admin.new_group") })
  field("name").value = group?.name ?? ""
  const policy = group?.on_disconnect ?? "continue"
  const choice = /** @type {HTMLInputElement} */ (must(form, `[name="on_disconnect"][value="${policy}"]`))
  choice.checked = true
  field("tokens").value = String(group?.on_disconnect_tokens ?? USUAL_TOKENS)
  field("file_quota_mb").value = String(group?.file_quota_mb ?? USUAL_QUOTA)
  showTokensPart()
  openDialog("group-dialog")
}

/** @param {Group} group */
function askManagers(group) {
  edited = group
  fill(managersForm, { title: t("js.admin.managers_of", { name: group.name }) })
  const names = /** @type {HTMLTextAreaElement} */ (must(managersForm, '[name="usernames"]'))
  names.value = group.managers.join("\n")
  openDialog("managers-dialog")
}

function showTokensPart() {
  const wanted = new FormData(form).get("on_disconnect") === "limit"
  must(form, "[data-tokens-part]").hidden = !wanted
  field("tokens").disabled = !wanted
}

/** @param {Group} group */
async function remove({ id, name, members }) {
  const words = {
    title: t("js.admin.delete_group_title", { name }),
    text: t("js.admin.delete_group_text", { count: formatNumber(members), group: groups[0]?.name ?? "" }),
    action: t("js.admin.delete"),
  }
  if (!(await confirmDialog(words))) return
  try {
    if (!(await sendMoving((agreed) => deleted(id, agreed)))) return
    await refresh()
    must(document, "[data-add-group]").focus()
    toast(t("js.admin.group_deleted", { name }))
  } catch (error) {
    tell(error)
  }
}

/** @param {string} id @param {import("app/admin/retention-asked.js").Agreed} agreed */
async function deleted(id, { confirmed }) {
  const path = `${PATH}/${id}`
  await api.delete(confirmed ? withParameter(path, "confirmed", "true") : path)
  return true
}

/** @param {string} name */
function field(name) {
  return /** @type {HTMLInputElement} */ (must(form, `[name="${name}"]`))
}
