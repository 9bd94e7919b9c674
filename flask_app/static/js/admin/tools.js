// @ts-check
/** Entry of the servers of tools: add, change, look at what they have, delete. */
import { ToolLook } from "app/admin/tool-look.js"
import { ToolServerForm } from "app/admin/tool-server-form.js"
import { api } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { confirmDialog, fromTemplate, must, pageState, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {{name: string, title: string, description: string, parameters: object}} Tool
 * @typedef {{id: string, name: string, url: string, has_secret: boolean, confirms: boolean, disabled: boolean,
 *   protocol: string | null, looked_at: string | null, tools: (Tool & {enabled: boolean})[], groups: string[]}} Server
 */

const PATH = "/api/admin/tool-servers"
const state = pageState("admin-state")
const groups = /** @type {{id: string, name: string}[]} */ (state.groups)
const known = new Map(/** @type {Server[]} */ (state.servers).map((server) => [server.id, server]))
const list = must(document, "[data-servers]")
const none = must(document, "[data-servers-none]")
const add = must(document, "[data-add-server]")
const look = new ToolLook(PATH, (server) => {
  keep(server, "[data-look]")
  toast(isIdle(server) ? t("js.admin.tool_server_saved_idle") : t("js.admin.tool_server_kept", { count: formatNumber(offered(server)) }))
})
const form = new ToolServerForm(PATH, groups, (server, { isNew }) => {
  keep(server, isNew ? "[data-look]" : "[data-edit]")
  toast(t(isIdle(server) ? "js.admin.tool_server_saved_idle" : "js.admin.tool_server_saved"))
  if (isNew) look.open(server)
})

show()
add.addEventListener("click", () => form.open())
list.addEventListener("click", ({ target }) => {
  const pressed = /** @type {Element} */ (target)
  const row = pressed.closest("[data-id]")
  const server = row instanceof HTMLElement && known.get(row.dataset.id ?? "")
  if (!server) return
  if (pressed.closest("[data-look]")) look.open(server)
  else if (pressed.closest("[data-edit]")) form.open(server)
  else if (pressed.closest("[data-delete]")) remove(server)
})

/** The focus goes back to the button that was pressed. @param {Server} server @param {string} button */
function keep(server, button) {
  known.set(server.id, server)
  show()
  must(list, `[data-id="${server.id}"] ${button}`).focus()
}

/** @param {Server} server */
async function remove({ id, name }) {
  const words = { title: t("js.admin.tool_server_delete_title", { name }), text: t("js.admin.tool_server_delete_text"), action: t("js.admin.delete") }
  if (!(await confirmDialog(words))) return
  try {
    await api.delete(`${PATH}/${id}`)
    known.delete(id)
    show()
    add.focus()
    toast(t("js.admin.tool_server_deleted", { name }))
  } catch (error) {
    tell(error)
  }
}

function show() {
  const servers = [...known.values()].sort((one, other) => one.name.localeCompare(other.name, document.documentElement.lang))
  list.replaceChildren(...servers.map(rowOf))
  none.hidden = servers.length > 0
}

/** @param {Server} server */
function offered({ tools }) {
  return tools.filter(({ enabled }) => enabled).length
}

/** Would nobody be told of a tool, though it may be called? @param {Server} server */
function isIdle(server) {
  return !server.disabled && !(offered(server) && server.groups.length)
}

/** @param {Server} server */
function rowOf(server) {
  const { id, name, url, confirms, disabled, looked_at: looked, tools, groups: granted } = server
  const standing = disabled ? "off" : isIdle(server) ? "idle" : "on"
  const names = groups.filter((group) => granted.includes(group.id)).map((group) => group.name)
  const row = fromTemplate("tool-server-template", {
    name,
    url,
    state: t(`js.admin.tool_server_${standing}`),
    confirms: t(confirms ? "js.admin.tool_server_confirms" : "js.admin.tool_server_at_once"),
    offered: looked ? t("js.admin.tool_server_offered", { count: formatNumber(offered(server)), all: formatNumber(tools.length) }) : t("js.admin.tool_server_not_seen"),
    groups: names.length ? t("js.admin.tool_server_groups", { names: names.join(" · ") }) : t("js.admin.tool_server_no_groups"),
  })
  row.dataset.id = id
  slot(row, "state").classList.add({ off: "badge--off", idle: "badge--warn", on: "badge--ok" }[standing])
  must(row, "[data-look]").classList.toggle("button--primary", standing === "idle" && !offered(server))
  must(row, "[data-look]").setAttribute("aria-label", t("js.admin.tool_server_look", { name }))
  must(row, "[data-edit]").setAttribute("aria-label", t("js.admin.tool_server_edit", { name }))
  must(row, "[data-delete]").setAttribute("aria-label", t("js.admin.tool_server_delete", { name }))
  return row
}
