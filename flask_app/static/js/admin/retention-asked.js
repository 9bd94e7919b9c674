// @ts-check
/** What is too old already, in a group's rule or by a new one, goes only where that is wanted: it is counted and asked about first. */
import { ApiError } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { confirmDialog } from "app/ui.js"

/** @typedef {{confirmed?: true}} Agreed goes along with what is sent */

/**
 * Sends what may remove something, again as confirmed where that was asked about and is wanted; null where it is not.
 * @template T @param {(agreed: Agreed) => Promise<T>} send @param {{why?: string, action?: string}} [words] why there is less room for it
 * @returns {Promise<T | null>}
 */
export async function sendAsked(send, { why = "", action = t("js.admin.retention_action") } = {}) {
  try {
    return await send({})
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "retention_removes") throw error
    const words = { title: t("js.admin.retention_title"), text: `${why} ${removed(error.params)}`.trim(), action }
    return (await confirmDialog(words)) ? send({ confirmed: true }) : null
  }
}

/** The same for people who come into another group. @template T @param {(agreed: Agreed) => Promise<T>} send */
export function sendMoving(send) {
  return sendAsked(send, { why: t("js.admin.retention_keeps_less"), action: t("js.admin.retention_move_action") })
}

/** @param {Record<string, unknown>} counts */
function removed({ conversations, people, files, file_people: owners, entries, requests }) {
  const counted = (/** @type {unknown} */ count) => formatNumber(Number(count))
  const told = []
  if (conversations) told.push(t("js.admin.retention_conversations", { count: counted(conversations), people: counted(people) }))
  if (files) told.push(t("js.admin.retention_files", { count: counted(files), people: counted(owners) }))
  if (entries) told.push(t("js.admin.retention_entries", { count: counted(entries) }))
  if (requests) told.push(t("js.admin.retention_requests", { count: counted(requests) }))
  return [...told, t("js.admin.retention_for_good")].join(" ")
}
