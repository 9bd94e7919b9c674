import assert from "node:assert/strict"
import { test } from "node:test"

const { Switches } = await import("app/chat/composer/switches.js")

/** The composer of a page with these checkboxes, and what its tab has noted. */
function page(kept, ...boxes) {
  const made = boxes.map((box) => ({ checked: false, listen: null, addEventListener(_, listener) { this.listen = listener }, ...box }))
  const notes = { read: (place) => kept.get(place) ?? "", keep: (place, text) => kept.set(place, text) }
  const shown = []
  const switches = new Switches(/** @type {any} */ ({ querySelectorAll: () => made }), "[data-tool]", notes, (on) => shown.push(on))
  const turn = (value) => {
    const box = made.find((each) => each.value === value)
    box.checked = !box.checked
    box.listen()
  }
  return { switches, shown, turn }
}

const [WEB, SKY] = [{ value: "web" }, { value: "01sky" }]

test("a new conversation begins with all off, others with what their tab has left on", () => {
  const kept = new Map()
  const { switches, shown, turn } = page(kept, WEB, SKY)
  switches.moveTo("c1")
  turn("web")
  turn("01sky")
  assert.deepEqual(switches.on, ["web", "01sky"])
  switches.moveTo(null)
  assert.deepEqual(switches.on, [])
  switches.moveTo("c1")
  assert.deepEqual(shown.at(-1), ["web", "01sky"])
  assert.deepEqual([...kept], [["c1", "web 01sky"]])
})

test("what was turned in a new one stays with the conversation that it becomes", () => {
  const kept = new Map()
  const { switches, turn } = page(kept, WEB, SKY)
  switches.moveTo(null)
  turn("01sky")
  assert.deepEqual([...kept], [], "it has no id yet")
  switches.move(null, "c1")
  assert.deepEqual([...kept], [["c1", "01sky"]])
})

test("what was turned before the scripts had come stays, and what is offered no more is off", () => {
  const { switches } = page(new Map([["c1", "gone 01sky"], ["c2", "web"]]), { ...WEB, checked: true }, SKY)
  switches.moveTo("c1")
  assert.deepEqual(switches.on, ["web", "01sky"])
  switches.moveTo("c2")
  assert.deepEqual(switches.on, ["web"])
})
