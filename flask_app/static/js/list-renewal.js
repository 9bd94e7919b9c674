// @ts-check
/** What is known of conversations, once the top of one of their lists has come anew. */
import { api } from "app/api"

/** @typedef {import("app/sidebar").Sidebar} Sidebar */
/** @typedef {import("app/sidebar").Summary} Summary */
/** @typedef {import("app/sidebar").Page} Page */

/** @type {Promise<unknown>} */
let last = Promise.resolve()

/**
 * Takes over what has happened elsewhere; gives what follows that page. One renewal begins with what the one before has left: one that
 * has gone from the one list may have come into the other. Throws ApiError.
 * @param {Pick<Sidebar, "known">} sidebar @param {string} path @param {{archived: boolean}} list @returns {Promise<string | null>}
 */
export function renew(sidebar, path, list) {
  const renewing = last.then(() => renewNow(sidebar, path, list))
  last = renewing.catch(() => undefined)
  return renewing
}

/** @param {Pick<Sidebar, "known">} sidebar @param {string} path @param {{archived: boolean}} list */
async function renewNow(sidebar, path, list) {
  const before = sidebar.known
  /** @type {Page} */
  const page = await api.get(path)
  sidebar.known = renewed(sidebar.known, before, page, list)
  return page.next
}

/**
 * What is missing there has left that list elsewhere. What has been changed here since it was asked for stays as it is.
 * @param {ReadonlyMap<string, Summary>} now
 * @param {ReadonlyMap<string, Summary>} before what was known when it was asked for
 * @param {Page} page
 * @param {{archived: boolean}} list
 * @returns {Map<string, Summary>}
 */
export function renewed(now, before, { conversations, pinned, next }, { archived }) {
  const found = new Map([...pinned, ...conversations].map((each) => [each.id, each]))
  const end = (next && conversations.at(-1)?.updated_at) || ""
  const isInReach = (/** @type {Summary} */ each) => each.archived === archived && each.updated_at > end
  /** @type {Map<string, Summary>} */
  const result = new Map()
  for (const [id, known] of now) {
    const fresh = found.get(id)
    if (known !== before.get(id)) result.set(id, known)
    else if (fresh) result.set(id, { ...fresh, touched_at: known.touched_at })
    else if (!isInReach(known)) result.set(id, archived ? known : withoutPin(known))
  }
  for (const [id, fresh] of found) if (!now.has(id) && !before.has(id)) result.set(id, fresh)
  return result
}

/** All that are pinned have come. @param {Summary} known */
function withoutPin(known) {
  return known.archived || !known.pinned_at ? known : { ...known, pinned_at: null }
}
