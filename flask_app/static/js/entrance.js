// @ts-check
/** Sign-in, set-up and new password: one form each, sent by script. */
import { ApiError, api, keepCsrfToken } from "app/api"
import { clearFieldErrors, showFieldError } from "app/field-errors"
import { sentence, t } from "app/i18n"
import { NewPassword } from "app/new-password"
import { forgetVisitorsChoices, visitorsChoices } from "app/shell"
import { fill, must, onSubmit, showFormError } from "app/ui"

const form = /** @type {HTMLFormElement} */ (must(document, "[data-entrance]"))

/** @type {Record<string, (values: Record<string, string>) => Promise<void>>} */
const senders = {
  async login({ username, password }) {
    keepCsrfToken((await api.post("/api/login", { username, password, ...told() })).csrf_token)
  },
  async setup({ code, username, password }) {
    keepCsrfToken((await api.post("/api/setup", { code: code?.trim(), username, password, ...told() })).csrf_token)
  },
  async reset({ password }) {
    keepCsrfToken((await api.post("/api/password-reset", { token: linkToken(), password, ...told() })).csrf_token)
  },
}

const newPassword = form.querySelector("[data-strength]") && new NewPassword(form)
onSubmit(form, async (values) => {
  clearFieldErrors(form)
  if (newPassword && !newPassword.isRepeated()) return
  try {
    await senders[form.dataset.entrance ?? ""]?.(values)
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "wrong_setup_code")) throw error
    return showFieldError(form, "code", sentence(error))
  }
  forgetVisitorsChoices()
  location.replace(localPath(form.dataset.next)) // Back does not lead to a form that is done with
})

if (form.dataset.entrance === "reset") {
  addEventListener("hashchange", () => location.reload()) // another link, pasted over this one
  showOwner()
}

/** For the account of somebody who has not chosen yet. */
function told() {
  return { ...visitorsChoices(), timezone: new Intl.DateTimeFormat().resolvedOptions().timeZone }
}

function linkToken() {
  return location.hash.slice(1)
}

/** Whose password it is, or why the link opens nothing: then there is nothing to fill in. */
async function showOwner() {
  if (!linkToken()) return refuseLink(t("js.reset_link_incomplete"))
  try {
    const { username } = await api.post("/api/password-reset/check", { token: linkToken() })
    fill(document, { owner: t("js.reset_for", { name: username }) })
    const field = /** @type {HTMLInputElement} */ (must(form, '[name="username"]'))
    field.value = username // what a password manager keeps the new password under
  } catch (error) {
    refuseLink(sentence(error))
  }
}

/** @param {string} reason */
function refuseLink(reason) {
  must(form, "[data-link-fields]").hidden = true
  showFormError(form, reason)
}

/** The server has checked it already; an address elsewhere is refused here once more. @param {string} [path] */
function localPath(path = "/") {
  const url = new URL(path, location.origin)
  return url.origin === location.origin ? url.href : "/" // whole: a path alone may begin with two slashes by now
}
