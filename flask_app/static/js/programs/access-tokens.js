// @ts-check
/** Entry of one's own personal access tokens: listed, made, shown once, limited, bounded, opened to websites, revoked. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { fillStanding } from "app/usage/budget-bars.js"
import { FieldMistake, clearFieldErrors, showFieldError } from "app/field-errors.js"
import { formatDateTime, t } from "app/i18n.js"
import { accessWords, linesOf, showAccess, typedAccess } from "app/programs/token-access.js"
import { factsOf, revokeWords } from "app/programs/token-facts.js"
import { TokenLimit, termsOf } from "app/programs/token-limit.js"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, tell, toast } from "app/ui.js"

/** @typedef {import("app/programs/token-facts.js").Token & {budget: import("app/i18n.js").Budget | null}} Token */
/** @typedef {import("app/programs/token-limit.js").Cap} Cap */

const PATH = "/api/tokens"
const list = must(document, "[data-tokens]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-token-form]"))
const begin = must(document, "[data-new-token]")
const made = must(document, "#made-dialog")
const limiting = /** @type {HTMLFormElement} */ (must(document, "[data-limit-form]"))
const [asked, changed] = [new TokenLimit(form), new TokenLimit(limiting)]
const bounding = /** @type {HTMLFormElement} */ (must(document, "[data-access-form]"))
const keeping = /** @type {HTMLFormElement} */ (must(document, "[data-words-form]"))
const showing = /** @type {HTMLFormElement} */ (must(document, "[data-origins-form]"))
/** Whose limit, rate, websites or contents a dialog is open for. @type {Token | null} */
let limited = null

show(pageState("tokens-state").tokens)
begin.addEventListener("click", () => {
  asked.fill(null)
  openDialog("token-dialog")
})
made.addEventListener("close", () => fill(made, { secret: "" })) // no page keeps it
onSubmit(form, ({ name, days }) => withCap(form, asked, async (budget) => {
  const models = new FormData(form).getAll("models")
  const wanted = { name, days: days ? Number(days) : null, models: models.length ? models : null, budget, ...typedAccess(form) }
  const { token, secret } = await api.post(PATH, wanted)
  form.closest("dialog")?.close()
  list.prepend(row(token))
  showNone()
  fill(made, { title: t("js.tokens.made", { name: token.name }), secret })
  openDialog("made-dialog")
}))
onSubmit(limiting, () => withCap(limiting, changed, async (cap) => {
  if (limited) await limit(limited, cap)
}))

onSubmit(bounding, () => sayingMistakes(bounding, async () => {
  if (limited) await bound(limited, typedAccess(bounding))
}))

onSubmit(showing, async ({ origins }) => {
  if (limited) await showTo(limited, linesOf(String(origins)))
})

onSubmit(keeping, async ({ hours }) => {
  if (limited) await keepWords(limited, Number(hours))
})

/** @param {Token[]} tokens */
function show(tokens) {
  list.replaceChildren(...tokens.map(row))
  showNone()
}

function showNone() {
  must(document, "[data-tokens-none]").hidden = list.childElementCount > 0
}

/** Do it with what is typed as the limit, or say beside its field what is wrong. @param {HTMLFormElement} of @param {TokenLimit} typed @param {(cap: Cap | null) => Promise<void>} act */
const withCap = (of, typed, act) => sayingMistakes(of, () => act(typed.cap()))

/** @param {HTMLFormElement} of @param {() => Promise<void>} act */
async function sayingMistakes(of, act) {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof FieldMistake)) throw error
    showFieldError(of, error.field, error.message)
  }
}

/** @param {Token} token @param {Cap | null} cap */
async function limit(token, cap) {
  const address = `${PATH}/${token.id}/budget`
  const budget = cap ? await api.put(address, cap) : await api.delete(address)
  limiting.closest("dialog")?.close()
  renew({ ...token, budget }, "limiting")
  toast(cap ? t("js.tokens.limited", { name: token.name, terms: termsOf(cap) }) : t("js.tokens.unlimited", { name: token.name }))
}

/** @param {Token} token */
function beginToLimit(token) {
  limited = token
  changed.fill(token.budget)
  fill(limiting, { title: t("js.tokens.limit_one", { name: token.name }) })
  openDialog("limit-dialog")
}

/** @param {Token} token @param {import("app/programs/token-access.js").Access} wanted */
async function bound(token, wanted) {
  const access = await api.put(`${PATH}/${token.id}/access`, wanted)
  bounding.closest("dialog")?.close()
  renew({ ...token, ...access }, "bounding")
  const terms = accessWords(access).join(", ")
  toast(terms ? t("js.tokens.access_set", { name: token.name, terms }) : t("js.tokens.access_free", { name: token.name }))
}

/** @param {Token} token */
function beginToBound(token) {
  limited = token
  showAccess(bounding, token)
  clearFieldErrors(bounding)
  fill(bounding, { title: t("js.tokens.access_of", { name: token.name }) })
  openDialog("access-dialog")
}

/** @param {Token} token @param {string[]} wanted */
async function showTo(token, wanted) {
  const { origins } = await api.put(`${PATH}/${token.id}/origins`, { origins: wanted })
  showing.closest("dialog")?.close()
  renew({ ...token, origins }, "showing")
  toast(origins.length ? t("js.tokens.shown_to", { name: token.name, origins: origins.join(", ") }) : t("js.tokens.shown_to_none", { name: token.name }))
}

/** @param {Token} token */
function beginToShow(token) {
  limited = token
  fill(showing, { title: t("js.tokens.origins_of", { name: token.name }) })
  const typed = /** @type {HTMLTextAreaElement} */ (must(showing, "textarea"))
  typed.value = token.origins.join("\n")
  clearFieldErrors(showing)
  openDialog("origins-dialog")
}

/** @param {Token} token @param {number} hours 0 for none */
async function keepWords(token, hours) {
  const address = `${PATH}/${token.id}/words`
  const until = hours ? (await api.put(address, { hours })).words_until : await api.delete(address).then(() => null)
  keeping.closest("dialog")?.close()
  renew({ ...token, words_until: until }, "keeping")
  const words = { name: token.name, time: until ? formatDateTime(until) : "" }
  toast(until ? t("js.tokens.words_kept", words) : t("js.tokens.words_gone", words))
}

/** @param {Token} token */
function beginToKeep(token) {
  limited = token
  keeping.reset()
  clearFieldErrors(keeping)
  fill(keeping, { title: t("js.tokens.words_of", { name: token.name }) })
  openDialog("words-dialog")
}

/** The row as it is now, with the focus where it was. @param {Token} token @param {string} pressed */
function renew(token, pressed) {
  const after = row(token)
  must(list, `[data-id="${token.id}"]`).replaceWith(after)
  slot(after, pressed).focus()
}

/** @param {Token} token */
function row(token) {
  const element = fromTemplate("token-template", { name: token.name, hint: `…${token.hint}`, facts: factsOf(token) })
  element.dataset.id = token.id
  slot(element, "expired").hidden = token.state !== "expired"
  slot(element, "standing").hidden = token.budget === null
  if (token.budget) {
    fill(element, { terms: termsOf(token.budget) })
    fillStanding(element, token.budget, t("js.tokens.limit_one", { name: token.name }))
  }
  slot(element, "requests").setAttribute("href", withParameter("/tokens/requests", "token", token.id))
  slot(element, "requests").setAttribute("aria-label", t("js.tokens.requests_of", { name: token.name }))
  slot(element, "limiting").setAttribute("aria-label", t("js.tokens.limit_one", { name: token.name }))
  slot(element, "limiting").addEventListener("click", () => beginToLimit(token))
  slot(element, "bounding").setAttribute("aria-label", t("js.tokens.access_of", { name: token.name }))
  slot(element, "bounding").addEventListener("click", () => beginToBound(token))
  slot(element, "showing").setAttribute("aria-label", t("js.tokens.origins_of", { name: token.name }))
  slot(element, "showing").addEventListener("click", () => beginToShow(token))
  slot(element, "keeping").setAttribute("aria-label", t("js.tokens.words_of", { name: token.name }))
  slot(element, "keeping").addEventListener("click", () => beginToKeep(token))
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
    tell(error)
  }
}
