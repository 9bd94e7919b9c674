// @ts-check
/** The dialog that sets an identity provider up: what it is asked, and what its word is worth. */
import { GroupRows } from "app/admin/group-rows.js"
import { api } from "app/api.js"
import { sentence, t } from "app/i18n.js"
import { fill, must, onSubmit, openDialog } from "app/ui.js"

/** @typedef {import("app/admin/identity-providers.js").Provider} Provider */

const PATH = "/api/admin/identity-providers"

export class IdentityForm {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-identity-provider]"))
  #tried = must(this.#form, "[data-tried]")
  #rows
  /** The one that it is open for; none: a new one. @type {Provider | undefined} */
  #edited

  /** @param {{id: string, name: string}[]} groups @param {(provider: Provider) => void} keep */
  constructor(groups, keep) {
    this.#rows = new GroupRows(this.#form, groups, /** @type {HTMLSelectElement} */ (this.#form.elements.namedItem("idp_group")))
    this.#field("slug").addEventListener("input", () => this.#showRedirect())
    this.#field("groups_claim").addEventListener("input", () => this.#showTable())
    must(this.#form, "[data-try]").addEventListener("click", (event) => this.#try(/** @type {HTMLElement} */ (event.currentTarget)))
    onSubmit(this.#form, async () => {
      const wanted = this.#wanted()
      const kept = this.#edited ? await api.put(`${PATH}/${this.#edited.id}`, wanted) : await api.post(PATH, { ...wanted, slug: this.#field("slug").value })
      this.#form.closest("dialog")?.close()
      keep(kept)
    })
  }

  /** @param {Provider} [provider] */
  open(provider) {
    this.#edited = provider
    this.#form.reset()
    this.#tried.textContent = ""
    fill(this.#form, { title: provider ? t("js.admin.identity_edit") : t("js.admin.identity_new") })
    this.#fill(provider)
    this.#showRedirect()
    this.#showTable()
    openDialog("identity-provider-dialog")
  }

  /** @param {Provider} [provider] */
  #fill(provider) {
    const slug = this.#field("slug")
    slug.value = provider?.slug ?? ""
    slug.readOnly = Boolean(provider)
    this.#field("idp_name").value = provider?.name ?? ""
    for (const name of /** @type {const} */ (["issuer", "client_id", "groups_claim"])) this.#field(name).value = provider?.[name] ?? ""
    this.#field("client_secret").placeholder = provider?.has_secret ? t("js.admin.identity_secret_kept") : ""
    this.#field("scopes").value = (provider?.scopes ?? ["openid", "profile", "email"]).join(" ")
    this.#field("idp_domains").value = (provider?.domains ?? []).join(", ")
    this.#field("newcomers").value = provider?.newcomers ?? "closed"
    if (provider) this.#field("idp_group").value = provider.group_id
    this.#field("links_by_email").checked = provider?.links_by_email ?? false
    this.#field("second_factor").checked = provider?.second_factor ?? false
    this.#field("enabled").checked = !provider?.disabled
    this.#rows.show(provider?.groups ?? [])
  }

  #wanted() {
    return {
      name: this.#field("idp_name").value,
      issuer: this.#field("issuer").value,
      client_id: this.#field("client_id").value,
      client_secret: this.#field("client_secret").value || null,
      scopes: this.#field("scopes").value.split(/\s+/).filter(Boolean),
      groups_claim: this.#field("groups_claim").value,
      groups: this.#rows.wanted,
      group_id: this.#field("idp_group").value,
      newcomers: this.#field("newcomers").value,
      domains: this.#field("idp_domains").value.split(/[\s,，、;；]+/).filter(Boolean),
      links_by_email: this.#field("links_by_email").checked,
      second_factor: this.#field("second_factor").checked,
      disabled: !this.#field("enabled").checked,
    }
  }

  /** @param {HTMLElement} button */
  async #try(button) {
    button.setAttribute("aria-busy", "true")
    this.#tried.textContent = ""
    try {
      const { works, message, detail, algorithms } = await api.post(`${PATH}/try`, { issuer: this.#field("issuer").value })
      this.#tried.textContent = works ? t("js.admin.identity_works", { algorithms: algorithms.join(", ") }) : [message, detail].filter(Boolean).join(" ")
    } catch (error) {
      this.#tried.textContent = sentence(error)
    } finally {
      button.removeAttribute("aria-busy")
    }
  }

  #showRedirect() {
    fill(this.#form, { redirect: `${location.origin}/login/callback/${this.#field("slug").value || "…"}` })
  }

  /** Without a claim nobody's group is touched. */
  #showTable() {
    this.#rows.offer(Boolean(this.#field("groups_claim").value.trim()))
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name))
  }
}
