// @ts-check
/** Identity providers in the settings: the list, and who may sign in by a password. */
import { IdentityForm } from "app/admin/identity-form.js"
import { ProviderList } from "app/admin/provider-list.js"
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { confirmDialog, must, tell, toast } from "app/ui.js"

/**
 * @typedef {{id: string, slug: string, name: string, issuer: string, client_id: string, has_secret: boolean, scopes: string[],
 *   groups_claim: string, groups: {value: string, group_id: string}[], group_id: string, newcomers: string, domains: string[],
 *   links_by_email: boolean, second_factor: boolean, disabled: boolean, people: number}} Provider
 * @typedef {{identity_providers: Provider[], password_sign_in: {everybody: boolean}}} Standing
 */

/** @param {Standing} standing @param {{id: string, name: string}[]} groups */
export function showIdentityProviders({ identity_providers: providers, password_sign_in: passwords }, groups) {
  offerPasswords(passwords.everybody)
  return new ProviderList(providers, {
    path: "/api/admin/identity-providers",
    list: "[data-identity-providers]",
    add: "[data-add-identity]",
    none: "[data-identity-none]",
    addressOf: ({ issuer }) => issuer,
    form: (keep) => new IdentityForm(groups, keep),
  })
}

/** @param {boolean} everybody may sign in by a password */
function offerPasswords(everybody) {
  const box = /** @type {HTMLInputElement} */ (must(document, "[data-passwords]"))
  box.checked = everybody
  box.addEventListener("change", async () => {
    if (!box.checked && !(await confirmDialog(passwordsOff()))) {
      box.checked = true
      return
    }
    try {
      const kept = await api.put("/api/admin/settings/password-sign-in", { everybody: box.checked })
      box.checked = kept.everybody
      toast(t("js.admin.identity_passwords_saved"))
    } catch (error) {
      box.checked = !box.checked
      tell(error)
    }
  })
}

function passwordsOff() {
  return { title: t("js.admin.identity_passwords_title"), text: t("js.admin.identity_passwords_text"), action: t("js.admin.identity_passwords_off") }
}
