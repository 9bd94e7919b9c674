// @ts-check
/** Sign-in, set-up and new password: one form each, sent by script. */
import { api, keepCsrfToken } from "app/api"
import { t } from "app/i18n"
import { must, onSubmit, showFormError, slot } from "app/ui"
import { strengthOf } from "app/password"

const timezone = new Intl.DateTimeFormat().resolvedOptions().timeZone
const form = /** @type {HTMLFormElement} */ (must(document, "[data-entrance]"))

/** @type {Record<string, (values: Record<string, string>) => Promise<void>>} */
const senders = {
  async login({ username, password }) {
    keepCsrfToken((await api.post("/api/login", { username, password, timezone })).csrf_token)
  },
  async setup({ code, username, password }) {
    keepCsrfToken((await api.post("/api/setup", { code: code?.trim(), username, password, timezone })).csrf_token)
  },
  async reset({ password }) {
    await api.post("/api/password-reset", { token: location.hash.slice(1), password })
  },
}

onSubmit(form, async (values) => {
  if ("repeat" in values && values.repeat !== values.password) {
    showFormError(form, t("js.passwords_differ"))
    must(form, '[name="repeat"]').focus()
    return
  }
  await senders[form.dataset.entrance ?? ""]?.(values)
  location.assign(localPath(form.dataset.next))
})

const meter = form.querySelector("[data-strength]")
if (meter instanceof HTMLElement) {
  const password = /** @type {HTMLInputElement} */ (must(form, '[name="password"]'))
  password.addEventListener("input", () => showStrength(meter, password.value))
}

if (new URLSearchParams(location.search).has("reset")) showNotice(t("js.password_set"))
if (form.dataset.entrance === "reset" && !location.hash) showFormError(form, t("js.reset_link_incomplete"))

/** @param {HTMLElement} meter @param {string} password */
function showStrength(meter, password) {
  const score = strengthOf(password)
  const bar = /** @type {HTMLProgressElement} */ (must(meter, "progress"))
  bar.value = score
  slot(meter, "strength").textContent = password ? t(`js.strength_${score}`) : ""
}

/** The server has checked it already; an address elsewhere is refused here once more. @param {string} [path] */
function localPath(path = "/") {
  const url = new URL(path, location.origin)
  return url.origin === location.origin && path.startsWith("/") ? url.pathname + url.search : "/"
}

/** @param {string} text */
function showNotice(text) {
  const notice = document.createElement("p")
  notice.className = "notice notice--ok"
  notice.role = "status"
  notice.textContent = text
  form.before(notice)
}
