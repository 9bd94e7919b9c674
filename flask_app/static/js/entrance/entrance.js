// @ts-check
/** Sign-in, set-up, new password, a letter for one, joining and registering: one form each, sent by script. */
import { ApiError, api, keepCsrfToken, loaded } from "app/api.js"
import { CodeField } from "app/entrance/code-field.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { sentence, t } from "app/i18n.js"
import { askForInvitation } from "app/entrance/invitation-code.js"
import { NewPassword } from "app/account/new-password.js"
import { forgetVisitorsChoices, visitorsChoices } from "app/shell.js"
import { fill, must, onSubmit, showFormError } from "app/ui.js"

const form = /** @type {HTMLFormElement} */ (must(document, "[data-entrance]"))
const typing = document.querySelector("[data-typed-code]")
let linkToken = location.hash.slice(1)

/** What they give is what the person waits for now, instead of going on. @type {Record<string, (values: Record<string, string>) => Promise<string | void>>} */
const senders = {
  async login({ username, password, code }) {
    const [path, proof] = code === undefined ? ["/api/login", { username, password }] : ["/api/login/second-step", { code }]
    keepCsrfToken((await api.post(path, { ...proof, ...told() })).csrf_token)
  },
  async setup({ code, username, password }) {
    keepCsrfToken((await api.post("/api/setup", { code: code?.trim(), username, password, ...told() })).csrf_token)
  },
  async join({ username, password }) {
    keepCsrfToken((await api.post("/api/join", { token: linkToken, username, password, ...told() })).csrf_token)
  },
  async register({ username, password, email }) {
    const { state, session } = await api.post("/api/register", { username, password, email, ...told() })
    if (!session) return t(`js.registration_${state}`, { email: email ?? "" })
    keepCsrfToken(session.csrf_token)
  },
  async confirm() {
    const { state, username: name } = await api.post("/api/register/confirm", { token: linkToken })
    return t(state === "in" ? "js.registration_in" : "js.registration_approval", { name })
  },
  async forgot({ account }) {
    await api.post("/api/password-reset/letter", { account })
    return t("js.forgot_asked")
  },
  async reset({ password, code }) {
    keepCsrfToken((await api.post("/api/password-reset", { token: linkToken, password, code, ...told() })).csrf_token)
  },
}

/** What a link is for, as the server tells it. @type {Record<string, {path: string, show: (told: Record<string, string>) => void}>} */
const links = {
  join: { path: "/api/join/check", show: ({ name }) => fill(document, { owner: t("js.join_by", { name: name ?? "" }) }) },
  reset: {
    path: "/api/password-reset/check",
    show({ username = "" }) {
      fill(document, { owner: t("js.reset_for", { name: username }) })
      const field = /** @type {HTMLInputElement} */ (must(form, '[name="username"]'))
      field.value = username // what a password manager keeps the new password under
    },
  },
}

const newPassword = form.querySelector("[data-strength]") && new NewPassword(form)
const codeField = form.querySelector("[data-code-part]") && new CodeField(form)
onSubmit(form, async (values) => {
  clearFieldErrors(form)
  if (newPassword && !newPassword.isRepeated()) return
  try {
    const outcome = await senders[form.dataset.entrance ?? ""]?.(values)
    if (outcome) return showOutcome(outcome)
  } catch (error) {
    return refuse(error)
  }
  goOn()
})

const byPasskey = document.querySelector("[data-by-passkey]")
if (byPasskey instanceof HTMLElement) {
  const entry = { form, told, goOn }
  loaded(import("app/entrance/passkey-sign-in.js")).then(({ PasskeySignIn }) => new PasskeySignIn(byPasskey, entry), (error) => showFormError(form, sentence(error)))
}

const link = links[form.dataset.entrance ?? ""]
if (link) {
  addEventListener("hashchange", () => location.reload()) // another link, pasted over this one
  showLink(link)
}

function goOn() {
  forgetVisitorsChoices()
  location.replace(localPath(form.dataset.next)) // Back does not lead to a form that is done with
}

/** There is nothing more to do here. @param {string} outcome */
function showOutcome(outcome) {
  must(form, "[data-link-fields]").hidden = true
  const words = must(form, "[data-outcome]")
  words.textContent = outcome
  words.hidden = false
}

/** A refusal may ask for the second step, lead back to the first, or end a link meanwhile. @param {unknown} error */
function refuse(error) {
  const code = error instanceof ApiError ? error.code : ""
  if (code === "second_step_needed") return askForCode(true)
  if (["wrong_setup_code", "wrong_second_step_code"].includes(code)) return showFieldError(form, "code", sentence(error))
  if (["username_taken", "username_invalid"].includes(code)) return showFieldError(form, "username", sentence(error))
  if (["bad_email", "email_not_taken", "email_taken"].includes(code)) return showFieldError(form, "email", sentence(error))
  if (code.startsWith("invitation_") || code.startsWith("registration_")) return refuseLink(sentence(error))
  if (code === "sign_in_expired") askForCode(false)
  throw error
}

/** At sign-in the code takes the place of the password, which the server has checked. @param {boolean} wanted */
function askForCode(wanted) {
  const first = form.querySelector("[data-first-step]")
  if (first instanceof HTMLFieldSetElement) first.hidden = first.disabled = wanted
  for (const words of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-at-step]"))) {
    words.hidden = words.dataset.atStep !== (wanted ? "code" : "password")
  }
  codeField?.ask(wanted)
  if (wanted) return codeField?.focus()
  const password = /** @type {HTMLInputElement} */ (must(form, '[name="password"]'))
  password.value = ""
  password.focus()
}

/** For the account of somebody who has not chosen yet. */
function told() {
  return { ...visitorsChoices(), timezone: new Intl.DateTimeFormat().resolvedOptions().timeZone }
}

/** Whose or for what it is, or why the link opens nothing: then there is nothing to fill in. @param {{path: string, show: (told: Record<string, string>) => void}} link */
async function showLink({ path, show }) {
  if (!linkToken && typing instanceof HTMLFormElement) return askForInvitation(typing, form, takeCode)
  if (!linkToken) return refuseLink(t("js.reset_link_incomplete"))
  try {
    show(await api.post(path, { token: linkToken }))
  } catch (error) {
    refuseLink(sentence(error))
  }
}

/** A code that was typed is to an invitation what the token of its link is. @param {string} code @param {Record<string, string>} told */
function takeCode(code, told) {
  linkToken = code
  links.join?.show(told)
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
