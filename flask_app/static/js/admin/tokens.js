// @ts-check
/** Entry of everybody's personal access tokens: listed, revoked. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { factsOf, revokeWords } from "app/programs/token-facts.js"
import { confirmDialog, fromTemplate, must, pageState, slot, tell, toast } from "app/ui.js"

/** @typedef {import("app/programs/token-facts.js").Token & {user: {id: string, username: string}}} AnybodysToken */

const PATH = "/api/admin/tokens"
const list = must(document, "[data-tokens]")
const more = must(document, "[data-tokens-more]")
/** @type {string | null} */
let next = null

append(pageState("admin-state"))
onMore(more, loadMore)

/** @param {{tokens: AnybodysToken[], next: string | null}} page */
function append(page) {
  next = page.next
  list.append(...page.tokens.map(row))
  must(document, "[data-tokens-foot]").hidden = !next
  must(document, "[data-tokens-none]").hidden = list.childElementCount > 0
}

/** The button may go: the focus moves on to the first that was not there. */
async function loadMore() {
  const last = list.lastElementChild
  append(await api.get(withParameter(PATH, "before", next ?? "")))
  const first = last?.nextElementSibling?.querySelector("[data-revoke]:not([hidden])")
  if (first instanceof HTMLElement) first.focus({ preventScroll: true })
}

/** @param {AnybodysToken} token */
function row(token) {
  const element = fromTemplate("token-template", { user: token.user.username, name: token.name, hint: `…${token.hint}`, facts: factsOf(token) })
  const button = must(element, "[data-revoke]")
  button.setAttribute("aria-label", t("js.tokens.revoke_one", { name: token.name }))
  button.addEventListener("click", () => revoke(token, element))
  showState(element, token)
  return element
}

/** @param {HTMLElement} element @param {Pick<AnybodysToken, "state">} token */
function showState(element, { state }) {
  slot(element, "state").hidden = state === "active"
  slot(element, "state").textContent = state === "active" ? "" : t(`js.tokens.state_${state}`)
  must(element, "[data-revoke]").hidden = state === "revoked"
}

/** @param {AnybodysToken} token @param {HTMLElement} element */
async function revoke(token, element) {
  if (!(await confirmDialog(revokeWords(token)))) return
  try {
    await api.delete(`${PATH}/${token.id}`)
    showState(element, { state: "revoked" })
    toast(t("js.tokens.revoked", { name: token.name }))
  } catch (error) {
    tell(error)
  }
}
