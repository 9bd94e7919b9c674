import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { getElementById: () => null, documentElement: { dataset: {}, lang: "en" }, querySelector: () => null }
const { ApiError } = await import("app/api.js")
const { AttachedFiles, isPicture, mayComeYet } = await import("app/chat/attached-files.js")
const { ConversationNotes } = await import("app/chat/writing.js")

const file = (name, type = "text/plain") => new File(["words"], name, { type })
const facts = (id, more = {}) => ({ id, name: `${id}.txt`, kind: "text", content_type: "text/plain", bytes: 5, width: null, height: null, pages: null, tokens: 7, ...more })
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A tab and a server; `uploads` are those under way, each to be ended by its `come` or `fail`. */
function tab({ most = 10 } = {}) {
  const notes = new Map()
  const storage = { getItem: (name) => notes.get(name) ?? null, setItem: (name, text) => notes.set(name, text), removeItem: (name) => notes.delete(name) }
  const [uploads, told, pauses, gone] = [[], [], [], new Set()]
  const server = {
    upload: (what, under) => new Promise((come, fail) => uploads.push({ name: what.name, ...under, come, fail })),
    isThere: async (id) => !gone.has(id),
    pause: async (milliseconds) => pauses.push(milliseconds),
  }
  const load = () => {
    const files = new AttachedFiles(most, server, new ConversationNotes(storage, "p1", "files"))
    for (const name of ["arrived", "refused", "twice", "over", "gone"]) files.addEventListener(name, ({ detail }) => told.push([name, detail]))
    return files
  }
  return { notes, uploads, told, pauses, gone, load, files: load() }
}

const states = (files, place = "c1") => files.of(place).map(({ name, state }) => `${name} ${state}`)

test("two are uploaded at once, the others wait, and each is here when it has come", async () => {
  const { files, uploads, told } = tab()
  assert.equal(files.add("c1", [file("a.txt"), file("b.txt"), file("c.txt")]), 0)
  assert.deepEqual(states(files), ["a.txt coming", "b.txt coming", "c.txt waiting"])
  assert.equal(files.isComing("c1"), true)
  assert.equal(files.isComing(null), false)
  assert.equal(files.has("c1"), false)
  uploads[0].come(facts("f1", { name: "a.txt" }))
  await turn()
  assert.deepEqual(states(files), ["a.txt here", "b.txt coming", "c.txt coming"])
  assert.deepEqual(told[0], ["arrived", files.of("c1")[0]])
  uploads[1].come(facts("f2"))
  uploads[2].come(facts("f3"))
  await turn()
  assert.equal(files.isComing("c1"), false)
  assert.deepEqual(files.factsOf("c1").map(({ id }) => id), ["f1", "f2", "f3"])
  assert.equal(files.tokensIn("c1"), 21)
})

test("those that are here are noted by the tab, and the others are not", async () => {
  const { files, uploads, load } = tab()
  files.add("c1", [file("a.txt"), file("b.txt")])
  uploads[0].come(facts("f1"))
  await turn()
  assert.deepEqual(states(load()), ["f1.txt here"])
  assert.deepEqual(load().of("c2"), [])
})

test("how far it is is told", () => {
  const { files, uploads } = tab()
  files.add(null, [file("a.txt")])
  const shares = []
  files.addEventListener("progress", ({ detail }) => shares.push(detail.share))
  uploads[0].progress(0.25)
  uploads[0].progress(1)
  assert.deepEqual(shares, [0.25, 1])
})

test("one that is refused says why, holds nothing up, and can be tried again", async () => {
  const { files, uploads, told, notes } = tab()
  const error = new ApiError(0, { code: "offline", message: "" })
  files.add("c1", [file("a.txt")])
  uploads[0].fail(error)
  await turn()
  assert.deepEqual(states(files), ["a.txt refused"])
  assert.equal(files.isComing("c1"), false)
  assert.equal(files.has("c1"), false)
  assert.equal(told[0][0], "refused")
  assert.equal(told[0][1].error, error)
  const { key } = files.of("c1")[0]
  files.again(key)
  files.again(key) // it is on its way already
  assert.equal(uploads.length, 2)
  uploads[1].come(facts("f1"))
  await turn()
  assert.deepEqual(states(files), ["f1.txt here"])
  assert.equal(notes.size, 1)
})

test("what may come yet is a line that is lost or a server that is busy, not a file that cannot be read", () => {
  const refusal = (status) => new ApiError(status, { code: "x", message: "" })
  assert.deepEqual([0, 429, 503, 413, 422].map((status) => mayComeYet(refusal(status))), [true, true, true, false, false])
})

test("a server that has its hands full is asked again when it says so, and in the end refuses", async () => {
  const { files, uploads, pauses } = tab()
  files.add("c1", [file("a.txt")])
  for (let at = 0; at < 6; at++) {
    assert.deepEqual(states(files), ["a.txt coming"])
    uploads[at].fail(new ApiError(503, { code: "files_busy", message: "" }, 2))
    await turn()
  }
  assert.deepEqual(pauses, [2000, 2000, 2000, 2000, 2000])
  assert.deepEqual(states(files), ["a.txt refused"])
})

test("one that is removed on its way is called off, and one that is here is noted no more", async () => {
  const { files, uploads, notes, told } = tab()
  files.add("c1", [file("a.txt"), file("b.txt"), file("c.txt")])
  files.remove(files.of("c1")[0].key)
  assert.equal(uploads[0].signal.aborted, true)
  uploads[0].fail(uploads[0].signal.reason)
  uploads[1].come(facts("f2"))
  await turn()
  assert.deepEqual(states(files), ["f2.txt here", "c.txt coming"])
  assert.deepEqual(told.map(([name]) => name), ["arrived"])
  files.remove(files.of("c1")[0].key)
  assert.equal(notes.size, 0)
  files.remove("another")
})

test("one that is removed while the server reads it does not come after all", async () => {
  const { files, uploads } = tab()
  files.add("c1", [file("a.txt")])
  files.remove(files.of("c1")[0].key)
  uploads[0].come(facts("f1"))
  await turn()
  assert.deepEqual(files.of("c1"), [])
})

test("no more than go with a message are taken; a refused one takes no room", async () => {
  const { files, uploads } = tab({ most: 2 })
  assert.equal(files.add("c1", [file("a.txt"), file("b.txt"), file("c.txt")]), 1)
  assert.equal(files.add("c1", [file("d.txt")]), 1)
  uploads[0].fail(new ApiError(422, { code: "file_empty", message: "" }))
  await turn()
  assert.equal(files.add("c1", [file("e.txt")]), 0)
  assert.equal(files.add("c2", [file("f.txt")]), 0, "elsewhere there is room")
})

test("the same content is one file", async () => {
  const { files, uploads, told } = tab()
  files.add("c1", [file("a.txt"), file("copy of a.txt")])
  uploads[0].come(facts("f1"))
  uploads[1].come(facts("f1"))
  await turn()
  assert.deepEqual(files.factsOf("c1").map(({ id }) => id), ["f1"])
  assert.equal(files.of("c1").length, 1)
  assert.deepEqual(told.at(-1), ["twice", { name: "copy of a.txt" }])
})

test("they go to a new conversation with what is written, also those on their way", async () => {
  const { files, uploads, notes } = tab()
  files.add(null, [file("a.txt"), file("b.txt")])
  uploads[0].come(facts("f1"))
  await turn()
  assert.equal(files.move(null, "c1"), true)
  assert.equal(files.move(null, "c1"), false)
  assert.equal(files.move("c1", "c1"), false)
  uploads[1].come(facts("f2"))
  await turn()
  assert.deepEqual(files.factsOf("c1").map(({ id }) => id), ["f1", "f2"])
  assert.deepEqual([...notes.keys()], ["files:p1:c1"])
})

test("what was sent is noted no more, and comes back before what was attached since", async () => {
  const { files, uploads, notes } = tab()
  files.add("c1", [file("a.txt")])
  uploads[0].come(facts("f1"))
  await turn()
  const sent = files.factsOf("c1")
  files.leave("c1")
  assert.equal(notes.size, 0)
  await files.putFirst("c1", [facts("f2")])
  await files.putFirst("c1", sent)
  await files.putFirst("c1", sent)
  assert.deepEqual(files.factsOf("c1").map(({ id }) => id), ["f1", "f2"])
})

test("one that was refused stays when the others are sent, and goes along where it is tried again", async () => {
  const { files, uploads, notes } = tab()
  files.add(null, [file("a.txt"), file("b.txt")])
  uploads[0].come(facts("f1"))
  uploads[1].fail(new ApiError(0, { code: "offline", message: "" }))
  await turn()
  files.leave(null)
  assert.equal(files.move(null, "c1"), true)
  assert.deepEqual(states(files), ["b.txt refused"])
  assert.equal(files.has("c1"), false)
  assert.equal(notes.size, 0)
  files.again(files.of("c1")[0].key)
  uploads[2].come(facts("f2"))
  await turn()
  assert.deepEqual(files.factsOf("c1").map(({ id }) => id), ["f2"])
})

test("what is moved or comes back is there once, before the others, and no more than go with a message", async () => {
  const { files, uploads, told } = tab({ most: 3 })
  const ids = (place) => files.factsOf(place).map(({ id }) => id)
  await files.putFirst("c1", [facts("f1"), facts("f2")])
  await files.putFirst("c2", [facts("f2"), facts("f3"), facts("f4")])
  assert.equal(files.move("c1", "c2"), true)
  assert.deepEqual([ids("c1"), ids("c2")], [[], ["f1", "f2", "f3"]])
  assert.deepEqual(told, [["over", null]])
  files.add("c3", [file("a.txt"), file("b.txt")])
  await files.putFirst("c3", [facts("f5"), facts("f6")])
  assert.deepEqual(uploads.map(({ signal }) => signal.aborted), [false, true])
})

test("what the tab noted elsewhere is put in before this was loaded", () => {
  const { notes, load, told } = tab({ most: 3 })
  const noted = new ConversationNotes({ getItem: (name) => notes.get(name) ?? null, setItem: (name, text) => notes.set(name, text), removeItem: (name) => notes.delete(name) }, "p1", "files")
  assert.equal(noted.putFirst("c1", []), false)
  assert.equal(noted.putFirst("c1", [facts("f1"), facts("f2")]), true)
  assert.equal(noted.putFirst(null, [facts("f2"), facts("f3"), facts("f4")]), true)
  assert.equal(noted.move("c1", null), true)
  assert.equal(noted.move("c1", null), false)
  assert.deepEqual([...notes.keys()], ["files:p1:new"])
  assert.deepEqual(load().factsOf(null).map(({ id }) => id), ["f1", "f2", "f3"])
  assert.deepEqual(told, [["over", null]])
})

test("one of a message in the thread adds what is not known", async () => {
  const { files } = tab()
  const { tokens, ...file } = facts("f1")
  await files.putFirst("c1", [file])
  assert.equal(tokens, 7)
  assert.equal(files.tokensIn("c1"), 0)
})

test("those that are gone from the server are gone here, and named; where that is not known they stay", async () => {
  const { files, gone, told, load, notes } = tab()
  await files.putFirst("c1", [facts("f1"), facts("f2")])
  gone.add("f1")
  const page = load()
  await page.check("c1")
  assert.deepEqual(page.factsOf("c1").map(({ id }) => id), ["f2"])
  assert.deepEqual(told, [["gone", { names: ["f1.txt"] }]])
  await page.check("c1")
  assert.equal(told.length, 1)
  assert.match(notes.get("files:p1:c1"), /f2/)
  const away = new AttachedFiles(10, { isThere: () => Promise.reject(new Error("away")) }, new ConversationNotes({ getItem: () => notes.get("files:p1:c1"), setItem() {} }, "p1", "files"))
  await away.check("c1")
  assert.equal(away.has("c1"), true)
})

test("a picture is known by its type until the server has said what it is", () => {
  assert.equal(isPicture({ file: file("a.png", "image/png"), facts: null }), true)
  assert.equal(isPicture({ file: file("a.png", "image/png"), facts: facts("f1") }), false)
  assert.equal(isPicture({ file: null, facts: facts("f1", { kind: "picture" }) }), true)
  assert.equal(isPicture({ file: file("a.txt"), facts: null }), false)
})

test("what is too long for the model is searched, and goes with the next message too", async () => {
  const { files, uploads, load } = tab()
  let changes = 0
  files.addEventListener("changed", () => changes++)
  files.add("c1", [file("a.txt"), file("b.txt")])
  uploads[0].come(facts("long", { tokens: 60_000 }))
  uploads[1].come(facts("short"))
  await turn()
  assert.equal(files.tokensIn("c1"), 60_007)
  files.fitInto({ window: 100_000, left: 90_000 })
  const before = changes
  files.fitInto({ window: 100_000, left: 90_000 })
  assert.equal(changes, before)
  assert.equal(files.tokensIn("c1"), 8_007)
  assert.deepEqual(files.factsOf("c1").map(({ id, told, told_pages: pages }) => [id, told, pages]), [["long", "search", null], ["short", undefined, undefined]])
  assert.deepEqual(files.factsOf("c1").map(({ tokens, whole_tokens: whole }) => [tokens, whole]), [[8_000, 60_000], [7, undefined]])
  files.leave("c1")
  assert.deepEqual([states(files), files.has("c1"), files.factsOf("c1").length], [["long.txt here"], false, 1])
  assert.deepEqual([states(load()), load().has("c1")], [["long.txt here"], false])
  assert.deepEqual([files.move("c1", null), files.move(null, "c1")], [false, false])
  files.putFirst("c1", [facts("long", { told: "search", told_pages: null, tokens: 8_000, whole_tokens: 60_000 })])
  assert.deepEqual([states(files), files.of("c1")[0].facts.tokens], [["long.txt here"], 60_000])
})

test("how one is told is what the person says, and noted", async () => {
  const { files, uploads, load } = tab()
  files.add("c1", [file("a.pdf")])
  uploads[0].come(facts("f1", { pages: 10, tokens: 1_000 }))
  await turn()
  files.tellAs(files.of("c1")[0].key, "pages", "2-3")
  assert.equal(files.has("c1"), true)
  files.tellAs(files.of("c1")[0].key, "search", "")
  assert.equal(files.has("c1"), false, "it is searched for words")
  files.tellAs(files.of("c1")[0].key, "pages", "2-3")
  files.tellAs("nobody", "search", "")
  assert.equal(load().tokensIn("c1"), 200)
  assert.deepEqual(load().factsOf("c1").map(({ told, told_pages: pages }) => [told, pages]), [["pages", "2-3"]])
  files.tellAs(files.of("c1")[0].key, "whole", "")
  files.fitInto({ window: 100, left: 100 })
  assert.equal(files.tokensIn("c1"), 1_000)
  files.leave("c1")
  assert.deepEqual(files.of("c1"), [])
})
