import assert from "node:assert/strict"
import { test } from "node:test"
import { pathToNewest } from "app/branch"

const message = (id, parent) => ({ id, parent_id: parent })

test("the branch that leads to the newest message is shown", () => {
  const messages = [message("q1", null), message("a1", "q1"), message("q2", "a1"), message("a2", "q2"), message("q3", "a1"), message("a3", "q3")]
  assert.deepEqual(pathToNewest(messages).map(({ id }) => id), ["q1", "a1", "q3", "a3"])
})

test("an empty conversation has an empty branch, a broken one does not turn for ever", () => {
  assert.deepEqual(pathToNewest([]), [])
  assert.equal(pathToNewest([message("a", "b"), message("b", "a")]).length, 2)
})
