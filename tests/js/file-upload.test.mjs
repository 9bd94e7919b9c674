import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { getElementById: () => null, documentElement: { dataset: {}, lang: "en" }, querySelector: () => null }
const { fittingShare } = await import("app/chat/file-upload.js")

const drawn = (width, height) => {
  const share = fittingShare({ width, height })
  return share && [Math.round(width * share), Math.round(height * share)]
}

test("a picture is made as small as the server would make it, and a long one stays legible", () => {
  assert.deepEqual(drawn(10, 10), [10, 10])
  assert.deepEqual(drawn(3000, 2000), [2048, 1365])
  assert.deepEqual(drawn(3000, 1000), [2304, 768])
  assert.deepEqual(drawn(1080, 6000), [768, 4267])
  assert.deepEqual(drawn(1080, 15_000), [576, 8000])
  assert.deepEqual(drawn(2500, 20), [2500, 20])
})

test("one that would not be legible is left for the server to refuse", () => {
  assert.equal(fittingShare({ width: 1000, height: 30_000 }), null)
})
