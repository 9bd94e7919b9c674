import assert from "node:assert/strict"
import { test } from "node:test"

const { ConversationNotes, Unsent } = await import("app/chat/writing.js")

const MESSAGE = { text: "How are you?", model: "m1", thinking: false, idempotencyKey: "k1" }
const { idempotencyKey: _, ...DRAFT } = MESSAGE

/** What a tab keeps, and the same after it has been loaded anew. */
function tab() {
  const kept = new Map()
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text), removeItem: (name) => kept.delete(name) }
  const load = () => new Unsent(new ConversationNotes(storage, "p1", "unsent"))
  return { kept, load }
}

test("what a page was sending when it was left is given back once, with its key", () => {
  const { load } = tab()
  load().send("c1", MESSAGE)
  const page = load()
  assert.equal(page.takeLost("c2"), null)
  assert.deepEqual(page.takeLost("c1"), { ...MESSAGE, isBack: false })
  assert.equal(page.takeLost("c1"), null)
  assert.equal(load().takeLost("c1"), null, "its words are in the draft")
  assert.equal(load().keyOf("c1", DRAFT), "k1")
})

test("with a search of the web before it, it is another message", () => {
  const { load } = tab()
  load().send("c1", { ...MESSAGE, search: true })
  assert.equal(load().takeLost("c1").search, true)
  assert.equal(load().keyOf("c1", DRAFT), null)
  assert.equal(load().keyOf("c1", { ...DRAFT, search: true }), "k1")
})

test("what is being sent here is not given back here, and nothing that has begun", () => {
  const { kept, load } = tab()
  const page = load()
  page.send(null, MESSAGE)
  assert.equal(page.takeLost(null), null)
  assert.equal(page.keyOf(null, DRAFT), null, "asked again meanwhile it is something new")
  page.forget(null, "another")
  assert.equal(kept.size, 1)
  page.forget(null, "k1")
  assert.equal(kept.size, 0)
  assert.equal(load().takeLost(null), null)
})

test("what was refused keeps its key as long as it is the same", () => {
  const { load } = tab()
  const page = load()
  page.send("c1", MESSAGE)
  page.giveBack("c1", MESSAGE)
  assert.equal(page.keyOf("c1", DRAFT), "k1")
  assert.equal(page.keyOf("c1", { ...DRAFT, text: "And you?" }), null)
  assert.equal(page.keyOf("c1", { ...DRAFT, model: "m2" }), null)
  assert.equal(page.keyOf("c1", { ...DRAFT, thinking: true }), null)
  assert.equal(page.keyOf("c1", { ...DRAFT, assistant: "a1" }), null)
  assert.equal(page.keyOf("c2", DRAFT), null)
})

test("the same words with other files are something new", () => {
  const { load } = tab()
  const files = [{ id: "f1", name: "a.pdf" }]
  load().giveBack("c1", { ...MESSAGE, files })
  assert.equal(load().keyOf("c1", { ...DRAFT, files }), "k1")
  assert.equal(load().keyOf("c1", DRAFT), null)
  assert.equal(load().keyOf("c1", { ...DRAFT, files: [{ id: "f2" }] }), null)
})

test("what begins with an assistant is given back with it", () => {
  const { load } = tab()
  load().send(null, { ...MESSAGE, assistant: "a1" })
  const page = load()
  assert.equal(page.takeLost(null)?.assistant, "a1")
  assert.equal(page.keyOf(null, DRAFT), null)
  assert.equal(page.keyOf(null, { ...DRAFT, assistant: "a1" }), "k1")
})

test("with other tools it is another message", () => {
  const { load } = tab()
  load().send("c1", { ...MESSAGE, tools: ["web"] })
  assert.deepEqual(load().takeLost("c1").tools, ["web"])
  assert.equal(load().keyOf("c1", { ...DRAFT, tools: ["web", "s1"] }), null)
  assert.equal(load().keyOf("c1", { ...DRAFT, tools: ["web"] }), "k1")
})
