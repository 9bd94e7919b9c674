import assert from "node:assert/strict"
import { test } from "node:test"
import { Branches } from "app/chat/branch.js"
import { spent } from "./spent.mjs"

const message = (id, parent, more = {}) => ({ id, parent_id: parent, ...more })
const ids = (messages) => messages.map(({ id }) => id)
/** Two answers to q1; the first is followed by two questions. */
const forked = () => [
  message("q1", null),
  message("a1", "q1"),
  message("q2", "a1"),
  message("a2", "q2"),
  message("q3", "a1"),
  message("a3", "q3"),
  message("b1", "q1"),
]

test("the branch that leads to the newest message is shown", () => {
  const branches = new Branches(forked())
  assert.deepEqual(ids(branches.path), ["q1", "b1"])
  assert.equal(branches.leaf.id, "b1")
  assert.equal(branches.isNewest, true)
})

test("another branch shows the newest below it, and then what was seen there last", () => {
  const branches = new Branches(forked())
  branches.choose("a1")
  assert.deepEqual(ids(branches.path), ["q1", "a1", "q3", "a3"])
  assert.equal(branches.isNewest, false)
  branches.choose("q2")
  assert.deepEqual(ids(branches.path), ["q1", "a1", "q2", "a2"])
  branches.choose("b1")
  branches.choose("a1")
  assert.deepEqual(ids(branches.path), ["q1", "a1", "q2", "a2"])
})

test("a message deep in a branch brings all of its branch", () => {
  const branches = new Branches(forked())
  branches.choose("a2")
  assert.deepEqual(ids(branches.path), ["q1", "a1", "q2", "a2"])
})

test("siblings are those that follow the same message, in their order", () => {
  const branches = new Branches([...forked(), message("p1", null)])
  assert.deepEqual(ids(branches.siblings("b1")), ["a1", "b1"])
  assert.deepEqual(ids(branches.siblings("q2")), ["q2", "q3"])
  assert.deepEqual(ids(branches.siblings("q1")), ["q1", "p1"])
  assert.deepEqual(ids(branches.siblings("a2")), ["a2"])
  assert.deepEqual(branches.siblings("nobody"), [])
})

test("what failed without a word is no version, unless it is the one that is shown", () => {
  const failed = message("b1", "q1", { status: "failed", text: "" })
  const branches = new Branches([message("q1", null), message("a1", "q1"), failed, message("c1", "q1", { status: "failed", text: "half" })])
  assert.deepEqual(ids(branches.siblings("a1")), ["a1", "c1"])
  assert.deepEqual(ids(branches.siblings("b1")), ["a1", "b1", "c1"])
})

test("a new message is shown, wherever it hangs", () => {
  const branches = new Branches(forked())
  branches.add(message("p1", null))
  assert.deepEqual(ids(branches.path), ["p1"])
  branches.add(message("c1", "q1"))
  assert.deepEqual(ids(branches.path), ["q1", "c1"])
  branches.add(message("p1", null))
  assert.deepEqual(ids(branches.path), ["q1", "c1"], "one that is known changes nothing")
})

test("a new conversation begins with nothing", () => {
  const branches = new Branches()
  assert.deepEqual(branches.path, [])
  assert.equal(branches.leaf, null)
  branches.add(message("q1", null))
  branches.add(message("a1", "q1"))
  assert.deepEqual(ids(branches.path), ["q1", "a1"])
})

test("a message whose parent is not there begins a branch; a circle does not turn for ever", () => {
  assert.deepEqual(ids(new Branches([message("a", "gone"), message("b", "a")]).path), ["a", "b"])
  const circle = new Branches([message("a", "b"), message("b", "a")])
  circle.choose("a")
  assert.deepEqual(circle.path, [])
})

test("a long conversation is laid out at once", () => {
  const long = Array.from({ length: 20_000 }, (_, at) => message(`m${at}`, at ? `m${at - 1}` : null))
  const branches = new Branches(long)
  const took = spent(() => branches.choose("m0"))
  assert.equal(branches.leaf.id, "m19999")
  assert.ok(took < 1000, `${took} ms`)
})
