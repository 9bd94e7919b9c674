// @ts-check
/** What is said of an answer that has ended, and what can be done about it. */
import { t } from "app/i18n.js"
import { TOO_LONG, wayForward } from "app/refusals.js"

/** @typedef {import("app/chat/answer.js").Answer} Answer */

/** What is said of an answer that is not whole. */
const CUT_OFF = new Map(["stopped", "left", "interrupted", "length", "content_filter"].map((how) => [how, `js.answer_${how}`]))

/** Has an answer come to its own end? @param {import("app/chat/branch-view.js").Message | null | undefined} message */
export function isWhole(message) {
  return message?.role === "assistant" && message.status === "complete" && message.text !== "" && !CUT_OFF.has(message.finish_reason ?? "")
}

/** @param {Answer} answer @param {{status: string, finish_reason: string | null}} end */
export function showEnd(answer, { status, finish_reason: reason }) {
  const cutOff = CUT_OFF.get(status === "complete" ? (reason ?? "") : status)
  const retry = status !== "complete" || !answer.text
  if (cutOff) answer.showProblem(t(cutOff), { grave: false, retry, goOn: reason !== "content_filter" })
  else if (status === "failed") answer.showProblem(t("js.answer_failed"), { retry })
  else if (!answer.text) answer.showProblem(t("js.answer_empty"), { grave: false, retry })
}

/** A stored answer that is not being written any more. @param {Answer} answer @param {import("app/chat/branch-view.js").Message} message @param {boolean} isAdmin */
export function showStored(answer, message, isAdmin) {
  answer.showFoot()
  if (message.error) showFailure(answer, message.error, isAdmin)
  else showEnd(answer, message)
}

/** @param {Answer} answer @param {{code: string, message: string, retryable?: boolean}} error @param {boolean} isAdmin */
export function showFailure(answer, { code, message, retryable = true }, isAdmin) {
  const anew = code === TOO_LONG && answer.question.parentId !== null
  answer.showProblem(message, { way: wayForward(code, isAdmin), retry: retryable, goOn: true, anew }) // with a text it broke off, without one it failed
}
