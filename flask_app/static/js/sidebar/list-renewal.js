// @ts-check
/** What is known of conversations, once the top of one of their lists has come anew, or its next page. */
import { ApiError, api, inTime } from "app/api.js"

/** @typedef {import("app/sidebar/sidebar.js").Sidebar} Sidebar */
/** @typedef {import("app/sidebar/sidebar.js").Summary} Summary */
/** @typedef {{conversations: Summary[], pinned: Summary[], folders: import("app/sidebar/folders.js").Folder[], next: string | null}} Page */
/** @typedef {{draw: (known: Map<string, Summary>, current: string | null) => void, renew: () => Promise<void>}} Listing */

const PAGE = 40
const LARGEST_PAGE = 100

/** @type {Promise<unknown>} */
let last = Promise.resolve()

/**
 * Takes over what has happened elsewhere; gives what follows that page. One renewal begins with what the one before has left: one that
 * has gone from the one list may have come into the other. Throws ApiError.
 * @param {Pick<Sidebar, "known" | "showFolders" | "folderChanges">} sidebar @param {string} path @param {(each: Summary) => boolean} isOwn is it in that list?
 * @param {number} count how many are shown @param {string | null} [deep] what follows those that are known, where these are more than a page
 * @returns {Promise<string | null>}
 */
export function renew(sidebar, path, isOwn, count, deep) {
  const limit = Math.min(Math.max(count, PAGE), LARGEST_PAGE)
  const renewing = last.then(() => renewNow(sidebar, `${path}?limit=${limit}`, isOwn, deep))
  last = renewing.catch(() => undefined)
  return renewing
}

/**
 * The next page of a list with any that are new: pages of those that are known already are passed over. Gives what follows it.
 * Throws ApiError.
 * @param {Sidebar} sidebar @param {string} path @param {string | null} next @returns {Promise<string | null>}
 */
export async function learnMore(sidebar, path, next) {
  for (let added = 0; next && !added; ) {
    /** @type {Page} */
    const page = await own(`${path}?limit=${LARGEST_PAGE}&before=${encodeURIComponent(next)}`)
    added = sidebar.learn(page.conversations)
    next = page.next
  }
  return next
}

/**
 * Pins and folders come with what is in none. Where the page ends with what stood there before, all below is as it was.
 * @param {Pick<Sidebar, "known" | "showFolders" | "folderChanges">} sidebar @param {string} path @param {(each: Summary) => boolean} isOwn @param {string | null} [deep]
 */
async function renewNow(sidebar, path, isOwn, deep) {
  const [before, changed] = [sidebar.known, sidebar.folderChanges]
  /** @type {Page} */
  const page = await own(path)
  const isWhole = path.startsWith("/api/conversations/unfiled")
  sidebar.known = renewed(sidebar.known, before, page, { isOwn, isWhole })
  if (isWhole && changed === sidebar.folderChanges) await sidebar.showFolders(page.folders)
  const end = page.conversations.at(-1)
  const known = before.get(end?.id ?? "")
  const isJoined = page.next && known && isOwn(known) && known.updated_at === end?.updated_at
  return isJoined && deep !== undefined ? deep : page.next
}

/**
 * What is asked for, unless somebody else has signed in here in another tab meanwhile, which `app/shell` notes there: then it is theirs,
 * and this page is out of date. Throws ApiError.
 * @param {string} path @returns {Promise<Page>}
 */
async function own(path) {
  const page = await inTime((signal) => api.get(path, { signal }))
  const now = localStorage.getItem("person")
  const person = document.querySelector('meta[name="person"]')?.getAttribute("content")
  if (now && now !== person) throw new ApiError(0, { code: "not_loaded", message: "" })
  return page
}

/**
 * What is missing there has left that list elsewhere. What has been changed here since it was asked for stays as it is.
 * @param {ReadonlyMap<string, Summary>} now
 * @param {ReadonlyMap<string, Summary>} before what was known when it was asked for
 * @param {Page} page
 * @param {{isOwn: (each: Summary) => boolean, isWhole?: boolean}} list which of those that are known are in it; `isWhole`: all that are pinned have come
 * @returns {Map<string, Summary>}
 */
export function renewed(now, before, { conversations, pinned, next }, { isOwn, isWhole = false }) {
  const found = new Map([...pinned, ...conversations].map((each) => [each.id, each]))
  const end = (next && conversations.at(-1)?.updated_at) || ""
  const isInReach = (/** @type {Summary} */ each) => isOwn(each) && each.updated_at > end
  /** @type {Map<string, Summary>} */
  const result = new Map()
  for (const [id, known] of now) {
    const fresh = found.get(id)
    if (known !== before.get(id)) result.set(id, known)
    else if (fresh) result.set(id, { ...fresh, touched_at: known.touched_at })
    else if (!isInReach(known)) result.set(id, isWhole ? withoutPin(known) : known)
  }
  for (const [id, fresh] of found) if (!now.has(id) && !before.has(id)) result.set(id, fresh)
  return result
}

/** @param {Summary} known */
function withoutPin(known) {
  return known.archived || !known.pinned_at ? known : { ...known, pinned_at: null }
}
