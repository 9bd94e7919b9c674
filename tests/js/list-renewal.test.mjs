import assert from "node:assert/strict"
import { test } from "node:test"

import { learnMore, renew, renewed } from "app/sidebar/list-renewal.js"

globalThis.document = { querySelector: () => ({ getAttribute: () => "me" }) }
let signedIn = "me"
globalThis.localStorage = { getItem: () => signedIn }

const one = (id, hour, more = {}) => ({ id, title: id, updated_at: `2026-11-26T${hour}:00:00Z`, running: false, pinned_at: null, archived: false, folder_id: null, ...more })
const known = (...all) => new Map(all.map((each) => [each.id, each]))
const page = (conversations, { pinned = [], next = null } = {}) => ({ conversations, pinned, next })
const UNFILED = "/api/conversations/unfiled"
const LIST = { isOwn: ({ archived, folder_id: folder, pinned_at: pinned }) => !archived && Boolean(pinned || !folder), isWhole: true }
const ARCHIVE = { isOwn: ({ archived }) => archived }
const ids = (map) => [...map.keys()].sort()

test("what is missing at the top has left the list; what lies below the page stays", () => {
  const before = known(one("a", 12), one("b", 11), one("c", 10), one("d", "09"))
  const after = renewed(before, before, page([one("a", 12), one("c", 10)], { next: "more" }), LIST)
  assert.deepEqual(ids(after), ["a", "c", "d"])
})

test("without a next page all that is missing has left", () => {
  const before = known(one("a", 12), one("d", "09"))
  assert.deepEqual(ids(renewed(before, before, page([one("a", 12)]), LIST)), ["a"])
})

test("what changed elsewhere is taken over, and what was begun there comes", () => {
  const before = known(one("a", 12, { touched_at: "2026-11-26T13:00:00Z" }))
  const after = renewed(before, before, page([one("n", 14), one("a", 12, { title: "renamed" })]), LIST)
  assert.deepEqual(ids(after), ["a", "n"])
  assert.equal(after.get("a").title, "renamed")
  assert.equal(after.get("a").touched_at, "2026-11-26T13:00:00Z", "it stays where it is")
})

test("what changed here since it was asked for stays as it is", () => {
  const before = known(one("a", 12), one("b", 11), one("gone", 10))
  const now = known(one("a", 12, { title: "mine" }), one("b", 11, { archived: true }), one("new", 13))
  const after = renewed(now, before, page([one("a", 12), one("b", 11), one("gone", 10)]), LIST)
  assert.deepEqual(ids(after), ["a", "b", "new"])
  assert.equal(after.get("a").title, "mine")
  assert.equal(after.get("b").archived, true)
})

test("pins come and go with the list, wherever it was pinned", () => {
  const pinned = one("deep", "01", { pinned_at: "2026-11-26T12:30:00Z" })
  const before = known(one("a", 12), one("old", "02", { pinned_at: "2026-11-25T00:00:00Z" }))
  const after = renewed(before, before, page([one("a", 12)], { pinned: [pinned], next: "more" }), LIST)
  assert.equal(after.get("deep").pinned_at, pinned.pinned_at)
  assert.equal(after.get("old").pinned_at, null)
})

test("each list speaks for itself", () => {
  const archived = one("archived", 12, { archived: true, pinned_at: "2026-11-25T00:00:00Z" })
  const before = known(one("a", 11), archived)
  assert.deepEqual(renewed(before, before, page([one("a", 11)]), LIST).get("archived"), archived)
  const after = renewed(before, before, page([one("other", "09", { archived: true })]), ARCHIVE)
  assert.deepEqual(ids(after), ["a", "other"], "it was taken back elsewhere")
})

test("one that was begun here and is not known to the server yet stays", () => {
  const before = known({ ...one("begun", 12), updated_at: "" })
  assert.deepEqual(ids(renewed(before, before, page([]), LIST)), ["begun"])
})

test("what has gone from one list and come into the other is not lost, however they are asked for", async (context) => {
  const pages = { "/archive": page([]), [UNFILED]: page([one("a", 12)]) }
  context.mock.method(globalThis, "fetch", async (path) => {
    if (path.startsWith(UNFILED)) await new Promise((resolve) => setTimeout(resolve, 20))
    return Response.json(pages[path.split("?")[0]])
  })
  const sidebar = { known: known(one("a", 12, { archived: true })), showFolders: async () => {} }
  await Promise.all([renew(sidebar, UNFILED, LIST.isOwn, 1), renew(sidebar, "/archive", ARCHIVE.isOwn, 1)])
  assert.equal(sidebar.known.get("a").archived, false)
})

test("one renewal that fails does not keep the next from coming", async (context) => {
  const replies = [() => Promise.reject(new TypeError("offline")), () => Promise.resolve(Response.json(page([one("a", 12)])))]
  context.mock.method(globalThis, "fetch", () => replies.shift()())
  const sidebar = { known: known(), showFolders: async () => {} }
  await assert.rejects(renew(sidebar, UNFILED, LIST.isOwn, 1), { code: "offline" })
  assert.equal(await renew(sidebar, UNFILED, LIST.isOwn, 1), null)
  assert.deepEqual(ids(sidebar.known), ["a"])
})

test("what is somebody else's, who has signed in in another tab, does not come into the list", async (context) => {
  context.mock.method(globalThis, "fetch", async () => Response.json(page([one("theirs", 12)])))
  const sidebar = { known: known(one("mine", 11)), showFolders: async () => {}, learn: () => assert.fail("of somebody else") }
  signedIn = "somebody else"
  context.after(() => (signedIn = "me"))
  await assert.rejects(renew(sidebar, UNFILED, LIST.isOwn, 1), { code: "not_loaded" })
  await assert.rejects(learnMore(sidebar, UNFILED, "more"), { code: "not_loaded" })
  assert.deepEqual(ids(sidebar.known), ["mine"])
})

test("a list that was asked for before a folder was made here does not take it away", async (context) => {
  let folders = null
  const sidebar = { known: known(), folderChanges: 0, showFolders: async (all) => (folders = all) }
  context.mock.method(globalThis, "fetch", async () => {
    sidebar.folderChanges++
    return Response.json({ ...page([]), folders: [] })
  })
  await renew(sidebar, UNFILED, LIST.isOwn, 1)
  assert.equal(folders, null)
  context.mock.method(globalThis, "fetch", async () => Response.json({ ...page([]), folders: [] }))
  await renew(sidebar, UNFILED, LIST.isOwn, 1)
  assert.deepEqual(folders, [])
})

const inWork = { isOwn: (each) => each.folder_id === "work" && !each.archived && !each.pinned_at }

test("what was put into a folder elsewhere leaves the list and comes with its folder", () => {
  const before = known(one("a", 12), one("b", 11))
  const after = renewed(before, before, page([one("b", 11)]), LIST)
  assert.deepEqual(ids(after), ["b"])
  const opened = renewed(after, after, page([one("a", 12, { folder_id: "work" })]), inWork)
  assert.equal(opened.get("a").folder_id, "work")
  assert.equal(opened.get("b").folder_id, null, "a folder says nothing of what is in none")
})

test("what was taken out of a folder elsewhere is in the list, and a folder keeps the pins of others", () => {
  const pinned = one("p", 10, { pinned_at: "2026-11-26T12:30:00Z" })
  const before = known(one("a", 12, { folder_id: "work" }), pinned)
  assert.equal(renewed(before, before, page([one("a", 12)], { pinned: [pinned] }), LIST).get("a").folder_id, null)
  const after = renewed(before, before, page([]), inWork)
  assert.deepEqual(ids(after), ["p"])
  assert.equal(after.get("p").pinned_at, pinned.pinned_at)
})

const more = { next: "the second page" }
const renewedWith = async (context, conversations, deep) => {
  context.mock.method(globalThis, "fetch", async () => Response.json(page(conversations, more)))
  const sidebar = { known: known(one("a", 12), one("b", 11), one("c", 10)), showFolders: async () => {} }
  return renew(sidebar, UNFILED, LIST.isOwn, 2, deep)
}

test("pages that are known already are not asked for again where the first one joins them", async (context) => {
  assert.equal(await renewedWith(context, [one("n", 13), one("a", 12)], "the ninth page"), "the ninth page")
  assert.equal(await renewedWith(context, [one("a", 12), one("b", 11)], null), null, "the end was there already")
  assert.equal(await renewedWith(context, [one("a", 12), one("b", 11)], undefined), more.next, "no more is known than a page")
})

test("they are asked for again where the first page ends with what is new", async (context) => {
  assert.equal(await renewedWith(context, [one("n", 15), one("m", 14)], "the ninth page"), more.next)
  assert.equal(await renewedWith(context, [one("n", 15), one("c", 14)], "the ninth page"), more.next, "it has moved up")
})
