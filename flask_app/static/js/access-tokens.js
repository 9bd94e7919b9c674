// @ts-check
/** Entry of one's own personal access tokens: listed, made, shown once, revoked. */
import { api } from "app/api"
import { sentence, t } from "app/i18n"
import { factsOf, revokeWords } from "app/token-facts"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, toast } from "app/ui"

/** @typedef {import("app/token-facts").Token} Token */

const PATH = "/api/tokens"
const list = must(document, "[data-tokens]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-token-form]"))
const begin = must(document, "[data-new-token]")
const made = must(document, "#made-dialog")

show(pageState("tokens-state").tokens)
begin.addEventListener("click", () => {
  form.reset()
  openDialog("token-dialog")
})
made.addEventListener("close", () => fill(made, { secret: "" })) // no page keeps it
onSubmit(form, async ({ name, days }) => {
  const models = new FormData(form).getAll("models")
  const { token, secret } = await api.post(PATH, { name, days: days ? Number(days) : null, models: models.length ? models : null })
  form.closest("dialog")?.close()
  list.prepend(row(token))
  showNone()
  fill(made, { title: t("js.tokens.made", { name: token.name }), secret })
  openDialog("made-dialog")
})

/** @param {Token[]} tokens */
function show(tokens) {
  list.replaceChildren(...tokens.map(row))
  showNone()
}

function showNone() {
  must(document, "[data-tokens-none]").hidden = list.childElementCount > 0
}

/** @param {Token} token */
function row(token) {
  const element = fromTemplate("token-template", { name: token.name, hint: `…${token.hint}`, facts: factsOf(token) })
  slot(element, "expired").hidden = token.state !== "expired"
  const button = slot(element, "revoke")
  button.setAttribute("aria-label", t("js.tokens.revoke_one", { name: token.name }))
  button.addEventListener("click", () => revoke(token, element))
  return element
}

/** @param {Token} token @param {HTMLElement} element */
async function revoke(token, element) {
  if (!(await confirmDialog(revokeWords(token)))) return
  try {
    await api.delete(`${PATH}/${token.id}`)
    element.remove()
    showNone()
    begin.focus()
    toast(t("js.tokens.revoked", { name: token.name }))
  } catch (error) {
    toast(sentence(error), { kind: "danger" })
  }
}
