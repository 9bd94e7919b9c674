import assert from "node:assert/strict"
import { beforeEach, mock, test } from "node:test"

import { watchRunning } from "app/chat/running.js"

globalThis.document = { hidden: false }
beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }))
test.afterEach(() => mock.timers.reset())

const one = (id, more = {}) => ({ id, title: id, running: true, archived: false, ...more })

/** A list in which these are known; each time that it comes anew it becomes the next of `renewed`. */
function listOf(known, ...renewed) {
  return Object.assign(new EventTarget(), {
    known: new Map(known.map((each) => [each.id, each])),
    renewals: 0,
    get(id) {
      return this.known.get(id)
    },
    async renew() {
      this.renewals++
      for (const each of renewed.shift() ?? []) this.known.set(each.id, each)
    },
  })
}

async function pass(milliseconds) {
  for (let left = milliseconds; left > 0; left -= 1_000) {
    mock.timers.tick(1_000)
    for (let step = 0; step < 10; step++) await Promise.resolve()
  }
}

const about = { titles: false, isAwaited: () => false }

test("the list comes anew until the answers that nobody looks at have ended", async () => {
  const list = listOf([one("a"), one("b")], [], [one("a", { running: false })], [one("b", { running: false })])
  watchRunning(list, () => null, about)
  await pass(60_000)
  assert.equal(list.renewals, 3)
})

test("what is archived is not waited for: the list does not tell of it", async () => {
  const list = listOf([one("a", { archived: true })])
  watchRunning(list, () => null, about)
  await pass(60_000)
  assert.equal(list.renewals, 0)
  list.known.set("a", one("a"))
  list.dispatchEvent(new Event("changed"))
  await pass(12_000)
  assert.equal(list.renewals, 2, "taken back it is")
})

test("the one on the page is followed there", async () => {
  const list = listOf([one("a")])
  watchRunning(list, () => "a", about)
  await pass(12_000)
  assert.equal(list.renewals, 0)
})
