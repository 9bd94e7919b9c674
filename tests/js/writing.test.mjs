import assert from "node:assert/strict"
import { test } from "node:test"
import { IdempotencyKeys } from "app/idempotency-keys.js"
import { byteLength, newIdempotencyKey } from "app/api.js"
import { ConversationNotes, inParagraphs, sendsMessage } from "app/chat/writing.js"

const ENTER = { key: "Enter", shiftKey: false, altKey: false, isComposing: false, keyCode: 13, repeat: false }

test("Enter sends, Shift+Enter breaks the line", () => {
  assert.equal(sendsMessage(ENTER), true)
  assert.equal(sendsMessage({ ...ENTER, shiftKey: true }), false)
  assert.equal(sendsMessage({ ...ENTER, altKey: true }), false)
  assert.equal(sendsMessage({ ...ENTER, key: "a", keyCode: 65 }), false)
})

test("under a finger Enter breaks the line", (context) => {
  globalThis.matchMedia = (query) => ({ matches: query === "(pointer: coarse)" })
  context.after(() => delete globalThis.matchMedia)
  assert.equal(sendsMessage(ENTER), false)
  assert.equal(sendsMessage({ ...ENTER, ctrlKey: true }), true, "a tablet with a keyboard")
  assert.equal(sendsMessage({ ...ENTER, metaKey: true }), true)
})

test("an input method's Enter never sends", () => {
  assert.equal(sendsMessage({ ...ENTER, isComposing: true, keyCode: 229 }), false, "Chrome and Firefox")
  assert.equal(sendsMessage({ ...ENTER, isComposing: false, keyCode: 229 }), false, "Safari: the composition has ended already")
  assert.equal(sendsMessage({ ...ENTER, isComposing: true }), false)
})

test("a held Enter sends once", () => {
  assert.equal(sendsMessage({ ...ENTER, repeat: true }), false)
})

/** @param {Map<string, string>} stored */
const storage = (stored) => ({
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => void stored.set(key, value),
  removeItem: (key) => void stored.delete(key),
})

test("nobody sees another's drafts, not even in the same tab", () => {
  const stored = new Map()
  new ConversationNotes(storage(stored), "ada", "draft").keep(null, "hers")
  assert.equal(new ConversationNotes(storage(stored), "ming", "draft").read(null), "")
  assert.equal(new ConversationNotes(storage(stored), "ada", "draft").read(null), "hers")
})

test("drafts are kept apart by conversation and go when emptied", () => {
  const stored = new Map()
  const drafts = new ConversationNotes(storage(stored), "ada", "draft")
  drafts.keep(null, "new")
  drafts.keep("a", "in a")
  assert.equal(drafts.read(null), "new")
  assert.equal(drafts.read("a"), "in a")
  drafts.keep("a", "")
  assert.equal(drafts.read("a"), "")
  assert.equal(stored.size, 1)
})

test("a full storage does not lose the words being typed", (context) => {
  context.mock.method(console, "warn", () => undefined)
  const full = { getItem: () => null, removeItem: () => undefined, setItem: () => { throw new Error("QuotaExceededError") } }
  assert.doesNotThrow(() => new ConversationNotes(full, "ada", "draft").keep("a", "long"))
})

test("every send gets its own key in the server's alphabet", () => {
  const keys = new Set(Array.from({ length: 100 }, newIdempotencyKey))
  assert.equal(keys.size, 100)
  for (const key of keys) assert.match(key, /^[A-Za-z0-9_-]{1,64}$/)
})

test("drafts and branches are noted apart", () => {
  const stored = new Map()
  new ConversationNotes(storage(stored), "ada", "draft").keep("a", "words")
  assert.equal(new ConversationNotes(storage(stored), "ada", "branch").read("a"), "")
})

test("the same thing keeps its key until it has begun", () => {
  const keys = new IdempotencyKeys()
  const key = keys.of({ question: "q", model: "one" })
  assert.equal(keys.of({ question: "q", model: "one" }), key)
  assert.notEqual(keys.of({ question: "q", model: "other" }), key)
  keys.forget({ question: "q", model: "one" })
  assert.notEqual(keys.of({ question: "q", model: "one" }), key)
})

test("size is counted in bytes", () => {
  assert.equal(byteLength("明聊🌙"), 10)
})

test("texts one below the other, without the empty ones", () => {
  assert.equal(inParagraphs("first", "second"), "first\n\nsecond")
  assert.equal(inParagraphs("", " \n", "  words as they are\n"), "  words as they are\n")
  assert.equal(inParagraphs("", ""), "")
})
