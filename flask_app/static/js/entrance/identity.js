// @ts-check
/** Entry of the page that an identity provider sends people back to: what stands in its address is handed over once. */
import { ApiError, api, keepCsrfToken } from "app/api.js"
import { CodeField } from "app/entrance/code-field.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { sentence, t } from "app/i18n.js"
import { forgetVisitorsChoices, visitorsChoices } from "app/shell.js"
import { must, onSubmit, showFormError } from "app/ui.js"

const NEXT = "mingchat-next" // what `app/entrance/identity-buttons` left
const form = /** @type {HTMLFormElement} */ (must(document, "[data-identity]"))
const codeField = new CodeField(form)
const told = { ...visitorsChoices(), timezone: new Intl.DateTimeFormat().resolvedOptions().timeZone }

onSubmit(form, async ({ code }) => {
  clearFieldErrors(form)
  try {
    comeIn(await api.post("/api/login/second-step", { code, ...told }))
  } catch (error) {
    const isWrong = error instanceof ApiError && error.code === "wrong_second_step_code"
    if (isWrong) showFieldError(form, "code", sentence(error))
    else giveUp(error)
  }
})
handOver(new URLSearchParams(location.search))

/** @param {URLSearchParams} said */
async function handOver(said) {
  history.replaceState(null, "", location.pathname) // a reload does not send it again, and no history keeps it
  const values = Object.fromEntries(["state", "code", "iss", "error"].flatMap((name) => (said.has(name) ? [[name, said.get(name)]] : [])))
  try {
    const { state, session } = await api.post("/api/login/identity/finish", { provider: form.dataset.provider, state: "", ...values, ...told })
    if (state === "linked") location.replace("/account")
    else if (session) comeIn(session)
    else showOutcome(t("js.identity_approval"))
  } catch (error) {
    if (error instanceof ApiError && error.code === "second_step_needed") askForCode()
    else giveUp(error)
  }
}

/** @param {{csrf_token: string}} session */
function comeIn({ csrf_token: token }) {
  keepCsrfToken(token)
  forgetVisitorsChoices()
  const next = new URL(sessionStorage.getItem(NEXT) ?? "/", location.origin)
  sessionStorage.removeItem(NEXT)
  location.replace(next.origin === location.origin ? next.href : "/")
}

function askForCode() {
  must(document, "[data-under-way]").hidden = true
  must(form, "[data-send-code]").hidden = false
  codeField.ask(true)
  codeField.focus()
}

/** @param {string} words */
function showOutcome(words) {
  const outcome = must(form, "[data-outcome]")
  outcome.textContent = words
  outcome.hidden = false
  end()
}

/** @param {unknown} error */
function giveUp(error) {
  codeField.ask(false)
  must(form, "[data-send-code]").hidden = true
  showFormError(form, sentence(error))
  end()
}

function end() {
  must(document, "[data-under-way]").hidden = true
  must(document, "[data-back]").hidden = false
}
