// @ts-check
/** The dialog that sets a server of tools up: where it is, what opens it, and whose people may use it. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { fill, fromTemplate, must, onSubmit, openDialog } from "app/ui.js"

/** @typedef {import("app/admin/tools.js").Server} Server */

export class ToolServerForm {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-server-form]"))
  #noSecret = must(this.#form, "[data-no-secret]")
  #choices = must(this.#form, "[data-group-choices]")
  /** The one that it is open for; none: a new one. @type {Server | undefined} */
  #edited

  /** @param {string} path @param {{id: string, name: string}[]} groups @param {(server: Server, how: {isNew: boolean}) => void} keep */
  constructor(path, groups, keep) {
    this.#choices.replaceChildren(...groups.map(choice))
    onSubmit(this.#form, async () => {
      const edited = this.#edited
      const wanted = this.#wanted()
      const kept = edited ? await api.put(`${path}/${edited.id}`, wanted) : await api.post(path, wanted)
      this.#form.closest("dialog")?.close()
      keep(kept, { isNew: !edited })
    })
  }

  /** @param {Server} [server] */
  open(server) {
    this.#edited = server
    this.#form.reset()
    fill(this.#form, { title: server ? t("js.admin.tool_server_edit", { name: server.name }) : t("js.admin.tool_server_new") })
    this.#field("name").value = server?.name ?? ""
    this.#field("url").value = server?.url ?? ""
    this.#field("secret").placeholder = server?.has_secret ? t("js.admin.tool_server_secret_kept") : ""
    this.#noSecret.hidden = !server?.has_secret
    this.#field("confirms").checked = server?.confirms ?? true
    this.#field("enabled").checked = !server?.disabled
    for (const box of this.#groups()) box.checked = server?.groups.includes(box.value) ?? false
    openDialog("tool-server-dialog")
  }

  #wanted() {
    const typed = this.#field("secret").value
    return {
      name: this.#field("name").value,
      url: this.#field("url").value,
      secret: typed || (this.#field("no_secret").checked ? "" : null),
      confirms: this.#field("confirms").checked,
      disabled: !this.#field("enabled").checked,
      groups: this.#groups().filter(({ checked }) => checked).map(({ value }) => value),
    }
  }

  #groups() {
    return /** @type {HTMLInputElement[]} */ ([...this.#choices.querySelectorAll("input")])
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name))
  }
}

/** @param {{id: string, name: string}} group */
function choice({ id, name }) {
  const label = fromTemplate("tool-group-template", { name })
  const box = /** @type {HTMLInputElement} */ (must(label, "input"))
  box.value = id
  return label
}
