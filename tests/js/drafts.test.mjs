import assert from "node:assert/strict"
import { test } from "node:test"

const { ConversationNotes, Drafts } = await import("app/chat/writing.js")

/** A tab's drafts, and the same after it has been loaded anew. */
function tab() {
  const kept = new Map()
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text), removeItem: (name) => kept.delete(name) }
  const notes = (kind) => new ConversationNotes(storage, "p1", kind)
  return { load: () => new Drafts(notes("draft"), notes("stored"), notes("unsent")), unsent: notes("unsent") }
}

/** Words that were written here and have been kept on the server. */
function withStored(text, place = "c1") {
  const { load } = tab()
  const drafts = load()
  drafts.keep(place, text)
  const key = drafts.keyOf(place)
  drafts.store(place, { text, key })
  return { drafts, key, load }
}

test("a draft keeps its key until it is sent", () => {
  const { drafts, key, load } = withStored("hello")
  drafts.keep("c1", "hello there")
  assert.equal(load().keyOf("c1"), key)
  assert.notEqual(drafts.keyOf(null), key)
  drafts.renewKey("c1")
  assert.notEqual(drafts.keyOf("c1"), key)
  drafts.keep("c1", "")
  assert.equal(drafts.isStored("c1"), true)
})

test("words of another device are taken over where nothing else is written", () => {
  const drafts = tab().load()
  assert.equal(drafts.take("c1", { text: "from the phone", key: "k1" }), "from the phone")
  assert.equal(drafts.read("c1"), "from the phone")
  assert.equal(drafts.keyOf("c1"), "k1", "it is one message, wherever it is sent")
  assert.equal(drafts.take("c1", { text: "from the phone, longer", key: "k1" }), "from the phone, longer")
  assert.equal(drafts.take("c1", { text: "another", key: "k2" }), "another")
  assert.equal(drafts.isStored("c1"), true)
})

test("what was sent or emptied elsewhere leaves", () => {
  const { drafts } = withStored("hello")
  assert.equal(drafts.take("c1", null), "")
  assert.equal(drafts.read("c1"), "")
  assert.equal(drafts.isStored("c1"), true)
})

test("what the server has not had yet stays", () => {
  const { drafts, key } = withStored("hello")
  drafts.keep("c1", "hello there")
  assert.equal(drafts.take("c1", { text: "hello", key }), "hello there")
  assert.equal(drafts.take("c1", { text: "hello of the desk", key }), "hello there", "this is the newer one")
  assert.equal(drafts.isStored("c1"), false)
  assert.equal(drafts.take("c1", null), "hello there")
  assert.notEqual(drafts.keyOf("c1"), key, "that message has been sent, or deleted")
})

test("two drafts that were begun apart are both kept", () => {
  const drafts = tab().load()
  drafts.keep("c1", "typed at once")
  assert.equal(drafts.take("c1", { text: "from the phone", key: "k1" }), "from the phone\n\ntyped at once")
  assert.equal(drafts.isStored("c1"), false)
  assert.equal(drafts.keyOf("c1"), "k1")
})

test("so are two that have keys already, and what was written to one that another device has sent", () => {
  const { drafts } = withStored("at the desk")
  drafts.keep("c1", "at the desk, longer")
  assert.equal(drafts.take("c1", { text: "from the phone", key: "k1" }), "from the phone\n\nat the desk, longer")
  assert.equal(drafts.keyOf("c1"), "k1", "they are one message now")
  assert.equal(drafts.take("c1", { text: "from the phone", key: "k1" }), "from the phone\n\nat the desk, longer")
})

test("what stands among the words already is not put before them once more", () => {
  const drafts = tab().load()
  drafts.keep("c1", "not sent\n\nfrom the phone")
  assert.equal(drafts.take("c1", { text: "from the phone", key: "k1" }), "not sent\n\nfrom the phone")
  drafts.store("c1", null)
  drafts.keep("c1", "not sent\n\nfrom the phone")
  assert.equal(drafts.take("c1", { text: "the phone", key: "k2" }), "the phone\n\nnot sent\n\nfrom the phone", "whole paragraphs alone")
})

test("words that come back, since they could not be sent, stand there once", () => {
  const { drafts, key } = withStored("hello")
  drafts.renewKey("c1")
  assert.equal(drafts.take("c1", { text: "hello", key }), "hello", "they were put back before the server's were asked for")
  drafts.keep("c1", "hello you")
  assert.equal(drafts.take("c1", { text: "hello", key }), "hello you")
  assert.equal(drafts.isStored("c1"), false)
})

test("what was sent from here is not taken back, though the server still has it", () => {
  const { drafts, key, load } = withStored("hello")
  drafts.renewKey("c1")
  drafts.keep("c1", "")
  assert.equal(load().isSent("c1", { text: "hello", key }), true)
  assert.equal(load().take("c1", { text: "hello", key }), "")
  drafts.keep("c1", "and more")
  assert.notEqual(drafts.keyOf("c1"), key)
  assert.equal(load().take("c1", { text: "hello", key }), "and more")
  assert.equal(load().take("c1", { text: "of the phone", key: "k9" }), "of the phone\n\nand more")
})

test("words that were refused, since their message had been sent, are not kept again", () => {
  const { drafts, load } = withStored("hello")
  drafts.keep("c1", "hello late")
  drafts.store("c1", { text: "hello late", key: "" })
  assert.equal(load().isStored("c1"), true)
  assert.equal(drafts.take("c1", null), "hello late", "they stay where they were written")
  assert.equal(load().isStored("c1"), true)
  assert.equal(drafts.take("c1", { text: "next", key: "k2" }), "next\n\nhello late")
})

test("what is on its way as a message is no draft", () => {
  const { load, unsent } = tab()
  unsent.keep("c1", JSON.stringify({ text: "hello", idempotencyKey: "k1" }))
  assert.equal(load().take("c1", { text: "hel", key: "k1" }), "")
  assert.equal(load().take("c1", { text: "next", key: "k2" }), "next")
})

test("of several that were sent one after the other none is taken back", () => {
  const { drafts, key, load } = withStored("second?")
  drafts.renewKey("c1")
  drafts.keep("c1", "third?")
  const next = drafts.keyOf("c1")
  drafts.store("c1", { text: "third?", key: next })
  drafts.renewKey("c1")
  drafts.keep("c1", "")
  drafts.store("c1", null)
  assert.equal(load().take("c1", { text: "second?", key }), "", "read before the server heard of it")
  assert.equal(load().take("c1", { text: "third?", key: next }), "")
})
