import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { getElementById: () => null, documentElement: { dataset: {}, lang: "en" }, querySelector: () => null }
const { ApiError } = await import("app/api.js")
const { Queue } = await import("app/chat/queue.js")
const { ConversationNotes } = await import("app/chat/writing.js")

const message = (name, more = {}) => ({ text: `${name}?`, model: "m1", thinking: false, idempotencyKey: name, ...more })
const question = (id, parent, text) => ({ id, parent_id: parent, role: "user", text, status: "complete", idempotency_key: null })
const answer = (id, parent, key = null) => ({ id, parent_id: parent, role: "assistant", text: "so", status: "complete", idempotency_key: key })

/** A tab; `load` gives its queue after it has been loaded anew. */
function tab() {
  const kept = new Map()
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text), removeItem: (name) => kept.delete(name) }
  return { kept, load: () => new Queue(new ConversationNotes(storage, "p1", "waiting")) }
}

const keys = (queue, conversation = "c1") => queue.waitingIn(conversation).map(({ idempotencyKey }) => idempotencyKey)

/** A queue in which the messages of these names wait for the answer a1. */
function waiting(...names) {
  const page = tab()
  const queue = page.load()
  for (const name of names) queue.add("c1", message(name), "a1")
  return { queue, ...page }
}

test("they wait in their order, by conversation, also after the page was loaded anew", () => {
  const { queue, load } = waiting("k1", "k2")
  queue.add("c2", message("k3"), "a2")
  for (const page of [queue, load()]) {
    assert.deepEqual(keys(page), ["k1", "k2"])
    assert.deepEqual(keys(page, "c2"), ["k3"])
    assert.deepEqual(page.conversations, ["c1", "c2"])
    assert.deepEqual(page.next("c1"), message("k1"))
    assert.equal(page.of("c1").after, "a1")
  }
  assert.equal(queue.next("c3"), null)
  assert.deepEqual(keys(queue, null), [])
})

test("the one that has begun is gone for good, and the next waits for its answer", () => {
  const { queue, load, kept } = waiting("k1", "k2")
  queue.tries("c1", "k1")
  assert.deepEqual(keys(queue), ["k2"], "it stands in the conversation now")
  queue.begun("c1", "k1", "a2")
  queue.begun("c1", "k1", "a9") // told twice, as by two streams of the one answer
  assert.deepEqual(keys(load()), ["k2"])
  assert.equal(load().of("c1").after, "a2")
  queue.begun("c1", "k2", "a3")
  assert.equal(kept.size, 0)
})

test("one that was being asked when its page was left is the next again, under its key", () => {
  const { queue, load } = waiting("k1")
  queue.tries("c1", "k1")
  assert.deepEqual(load().next("c1"), message("k1"))
  assert.deepEqual(keys(load()), ["k1"])
})

test("what was asked under its key has been asked, by whatever page and wherever it stands", () => {
  const { queue } = waiting("k1", "k2", "k3")
  const before = [question("q1", null, "first?"), answer("a1", "q1", "k0")]
  queue.compare("c1", [...before, question("q2", "a1", "k1?"), answer("a2", "q2", "k9"), question("q3", "a1", "k1?"), answer("a3", "q3")])
  assert.deepEqual(keys(queue), ["k1", "k2", "k3"], "the same words under another key are something else")
  queue.compare("c1", [...before, question("q2", null, "k1?"), answer("a2", "q2", "k1"), question("q3", "a2", "k2?"), answer("a3", "q3", "k2")])
  assert.deepEqual(keys(queue), ["k3"])
  assert.equal(queue.of("c1").after, "a3")
})

test("a line that is held waits for the reader's word", () => {
  const { queue, load } = waiting("k1")
  queue.hold("c1")
  for (const page of [queue, load()]) {
    assert.equal(page.next("c1"), null)
    assert.deepEqual(keys(page), ["k1"])
  }
  queue.goOn("c1")
  assert.equal(queue.next("c1")?.idempotencyKey, "k1")
  assert.equal(queue.of("c1").after, "a1")
  queue.hold("c1")
  queue.goOn("c1", "a5")
  assert.equal(queue.of("c1").after, "a5")
  queue.hold("c1")
  queue.add("c1", message("k2"), "a6")
  assert.equal(queue.next("c1")?.idempotencyKey, "k1", "to send is a word")
  assert.equal(queue.of("c1").after, "a6")
})

test("where nothing waits nothing is held", () => {
  const { queue, kept } = waiting()
  queue.hold("c1")
  queue.hold(null)
  queue.goOn("c1", "a1")
  assert.equal(kept.size, 0)
  queue.add("c1", message("k1"), "a1")
  assert.ok(queue.next("c1"))
})

for (const code of ["too_many_messages", "idempotency_key_reused"]) {
  test(`one that was refused as ${code} is held and keeps its key`, () => {
    const { queue, load } = waiting("k1", "k2")
    queue.tries("c1", "k1")
    queue.refuse("c1", "k1", new ApiError(429, { code, message: "" }))
    assert.deepEqual(keys(queue), ["k1", "k2"])
    assert.equal(queue.next("c1"), null)
    assert.equal(load().next("c1"), null)
    queue.goOn("c1")
    assert.equal(queue.next("c1")?.idempotencyKey, "k1")
  })
}

test("one that is refused is seen to wait again, also where its line was held meanwhile", () => {
  const { queue } = waiting("k1")
  const seen = []
  queue.addEventListener("changed", () => seen.push(keys(queue)))
  queue.tries("c1", "k1")
  queue.hold("c1")
  queue.refuse("c1", "k1", new ApiError(429, { code: "too_many_messages", message: "" }))
  assert.deepEqual(seen.at(-1), ["k1"])
})

test("one whose line broke is held until the page is another", () => {
  for (const error of [new TypeError("Failed to fetch"), new ApiError(0, { code: "offline", message: "" })]) {
    const { queue, load } = waiting("k1", "k2")
    queue.tries("c1", "k1")
    queue.refuse("c1", "k1", error)
    assert.equal(queue.next("c1"), null)
    assert.ok(queue.of("c1").isHeld)
    assert.equal(load().next("c1")?.idempotencyKey, "k1")
    queue.takeOut("c1", "k2")
    assert.equal(load().next("c1")?.idempotencyKey, "k1")
    queue.goOn("c1")
    assert.equal(queue.next("c1")?.idempotencyKey, "k1")
  }
})

test("what is taken out can be put back where it was", () => {
  const { queue, kept } = waiting("k1", "k2", "k3")
  const before = queue.of("c1")
  const taken = queue.takeOut("c1", "k2")
  assert.deepEqual(keys(queue), ["k1", "k3"])
  assert.equal(queue.takeOut("c1", "k2"), undefined)
  queue.putBack("c1", taken, before)
  assert.deepEqual(keys(queue), ["k1", "k2", "k3"])
  queue.forget("c1")
  assert.equal(kept.size, 0)
  queue.putBack("c1", taken, before)
  assert.deepEqual(keys(queue), ["k2"])
  assert.equal(queue.of("c1").after, "a1")
})

test("a conversation that is gone gives back what waited in it", () => {
  const { queue, kept } = waiting("k1", "k2")
  assert.deepEqual(queue.forget("c1").map(({ text }) => text), ["k1?", "k2?"])
  assert.deepEqual(queue.forget("c1"), [])
  assert.equal(kept.size, 0)
})

test("a full storage loses nothing while the page lives", (context) => {
  context.mock.method(console, "warn", () => undefined)
  const full = { getItem: () => null, removeItem: () => undefined, setItem: () => { throw new Error("QuotaExceededError") } }
  const queue = new Queue(new ConversationNotes(full, "p1", "waiting"))
  queue.add("c1", message("k1"), "a1")
  assert.deepEqual(keys(queue), ["k1"])
})

test("each change is told with its conversation", () => {
  const { queue } = waiting("k1")
  const told = []
  queue.addEventListener("changed", ({ detail }) => told.push(detail.conversation))
  queue.hold("c1")
  queue.add("c2", message("k2"), "a2")
  assert.deepEqual(told, ["c1", "c2"])
})
