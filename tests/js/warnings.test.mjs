import assert from "node:assert/strict"
import { test } from "node:test"

class Element {
  dataset = {}
  parts = {}
  childElementCount = 0
  value = ""
  addEventListener() {}
  append() {}
  replaceChildren() {}
  setAttribute() {}
  querySelector(selector) {
    return (this.parts[selector] ??= new Element())
  }
}

globalThis.HTMLElement = Element
globalThis.location = { origin: "https://chat.example" }
const state = { webhook: null, mail: null, administrators_told: true, low_balance_micros: 10_000_000, notices: [], next: null }

/** The field of the threshold, into which somebody has typed before the page's script comes. */
async function fieldAfter(typed) {
  const page = new Element()
  globalThis.document = Object.assign(page, {
    documentElement: { lang: "en", dataset: {} },
    getElementById: () => ({ textContent: JSON.stringify(state) }),
  })
  const field = page.querySelector("[data-low-form]").querySelector('[name="low_balance"]')
  field.value = typed
  await import(`../../flask_app/static/js/admin/warnings.js?typed=${typed}`)
  return field.value
}

test("what counts as a low balance is shown, but not over what somebody has typed already", async () => {
  assert.equal(await fieldAfter(""), "10")
  assert.equal(await fieldAfter("7.5"), "7.5")
})
