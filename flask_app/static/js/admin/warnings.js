// @ts-check
/** Entry of the warnings: how they are sent, whether they arrive, and what became of the last ones. */
import { withParameter } from "app/addresses.js"
import { showResult } from "app/admin/delivery.js"
import { Webhook } from "app/admin/webhook.js"
import { amountOf, typedAmount } from "app/amounts.js"
import { api } from "app/api.js"
import { formatAgo, formatDateTime, formatNumber, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { fromTemplate, must, onSubmit, pageState, showFormError, slot, toast } from "app/ui.js"

/**
 * @typedef {object} Notice
 * @property {string} id
 * @property {string} text
 * @property {"email" | "webhook"} channel
 * @property {string | null} to
 * @property {"waiting" | "sent" | "failed" | "dropped"} state
 * @property {number} tries
 * @property {{message: string, detail: string | null} | null} error
 * @property {string} created_at
 */

const PATH = "/api/admin/warnings"
const BADGES = /** @type {const} */ ({ waiting: "badge--warn", sent: "badge--ok", failed: "badge--danger", dropped: "badge--off" })
const MONEY = "money" // any currency: each account has its own
const list = must(document, "[data-notices]")
const more = must(document, "[data-notices-more]")
const mailForm = /** @type {HTMLFormElement} */ (must(document, "[data-mail-form]"))
const lowForm = /** @type {HTMLFormElement} */ (must(document, "[data-low-form]"))
const lowField = /** @type {HTMLInputElement} */ (must(lowForm, '[name="low_balance"]'))
const state = pageState("admin-state")
/** @type {string | null} */
let next = null

new Webhook(state.webhook)
showMail()
if (!lowField.value) showThreshold(state.low_balance_micros) // what was typed before this script had come stays
append(state)

onMore(more, loadMore)
onSubmit(mailForm, async ({ address = "" }) => {
  const result = must(document, "[data-mail-result]")
  result.replaceChildren()
  showResult(result, await api.post(`${PATH}/mail/test`, { address }), t("js.warnings.mail_sent", { address }))
})
onSubmit(lowForm, async ({ low_balance: text = "" }) => {
  const micros = amountOf(text, MONEY)
  if (micros === null || !Number.isSafeInteger(micros)) {
    showFormError(lowForm, t("js.warnings.bad_threshold", { text }))
    return
  }
  showThreshold((await api.patch(PATH, { low_balance_micros: micros })).low_balance_micros)
  toast(t("js.warnings.threshold_saved"))
})

function showMail() {
  const { mail } = state
  must(document, "[data-mail-none]").hidden = mail !== null
  must(document, "[data-mail]").hidden = mail === null
  if (mail) must(document, "[data-mail-from]").textContent = t("js.warnings.mail_from", mail)
  must(document, "[data-nobody-told]").hidden = state.administrators_told
}

/** @param {number} micros */
function showThreshold(micros) {
  lowField.value = typedAmount(micros, MONEY)
}

/** @param {{notices: Notice[], next: string | null}} page */
function append(page) {
  next = page.next
  list.append(...page.notices.map(row))
  must(document, "[data-notices-foot]").hidden = !next
  must(document, "[data-notices-none]").hidden = list.childElementCount > 0
}

async function loadMore() {
  const last = list.lastElementChild
  append(await api.get(withParameter(`${PATH}/notices`, "before", next ?? "")))
  const first = last?.nextElementSibling
  if (first instanceof HTMLElement) first.focus({ preventScroll: true })
}

/** @param {Notice} notice */
function row({ id, text, channel, to, state: how, tries, error, created_at: made }) {
  const person = to ? t("js.warnings.to_person", { name: to }) : t("js.warnings.to_gone")
  const element = fromTemplate("notice-template", {
    text,
    to: channel === "webhook" ? t("js.warnings.to_webhook") : person,
    time: formatAgo(made),
    tries: tries > 1 ? ` · ${t("js.warnings.tried", { count: formatNumber(tries) })}` : "",
    state: t(`js.warnings.state_${how === "waiting" && error ? "retrying" : how}`),
    error: error ? [error.message, error.detail].filter(Boolean).join(" ") : "",
  })
  element.dataset.id = id
  element.tabIndex = -1
  slot(element, "time").title = formatDateTime(made)
  slot(element, "error").hidden = !error
  slot(element, "state").classList.add(BADGES[how])
  return element
}
