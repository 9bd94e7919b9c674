import assert from "node:assert/strict"
import { beforeEach, mock, test } from "node:test"
import { allCome, inTurn, noteComing } from "app/markdown/turns.js"

let now = 0
const busy = (milliseconds) => (now += milliseconds)

beforeEach(() => mock.method(performance, "now", () => now)) // a busy machine's own pauses take nobody's turn

test("what takes little is done at once, in order", async () => {
  const done = []
  for (const number of [1, 2, 3]) inTurn(() => done.push(number))
  assert.deepEqual(done, [], "not before the caller has put it on the page")
  await null
  assert.deepEqual(done, [1, 2, 3])
})

test("what takes long lets others have their turn, and is done to the last", async () => {
  let done = 0
  let others = 0
  const ticks = setInterval(() => others++, 1)
  for (let number = 0; number < 20; number++) inTurn(() => (busy(5), done++))
  await null
  assert.ok(done > 0 && done < 20, `${done} at once`)
  while (done < 20) await new Promise((resolve) => setTimeout(resolve))
  clearInterval(ticks)
  assert.ok(others >= 3, `${others} turns of others`)
})

test("one that fails does not keep the others from their turn", async (context) => {
  const told = context.mock.method(console, "error", () => undefined)
  let done = 0
  inTurn(() => { throw new Error("not this one") })
  inTurn(() => done++)
  await null
  assert.equal(done, 1)
  assert.equal(told.mock.callCount(), 1)
  inTurn(() => done++)
  await null
  assert.equal(done, 2)
})

test("whoever waits for all of it has what comes meanwhile, too", async () => {
  const come = []
  noteComing(inTurn(() => {
    come.push("first")
    noteComing(inTurn(() => come.push("second")))
  }))
  noteComing(Promise.reject(new Error("not this one")))
  await allCome(1_000)
  assert.deepEqual(come, ["first", "second"])
})

test("what stays away is not waited for longer than was said", async () => {
  noteComing(new Promise(() => undefined))
  await allCome(1)
})
