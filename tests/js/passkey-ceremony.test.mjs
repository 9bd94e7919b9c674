import assert from "node:assert/strict"
import { test } from "node:test"

globalThis.document = { documentElement: { lang: "en", dataset: {} }, getElementById: () => ({ textContent: "{}" }) }
const { bytesOf, textOf } = await import("app/entrance/passkey-ceremony.js")

test("bytes become base64url without padding, and come back", () => {
  for (const length of [0, 1, 2, 3, 64, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) % 256)
    const text = textOf(bytes.buffer)
    assert.equal(text, Buffer.from(bytes).toString("base64url"))
    assert.deepEqual(bytesOf(text), bytes)
  }
})

test("both signs in which base64url differs are told apart", () => {
  assert.equal(textOf(Uint8Array.of(0xfb, 0xff, 0xbf).buffer), "-_-_")
  assert.deepEqual(bytesOf("-_-_"), Uint8Array.of(0xfb, 0xff, 0xbf))
})
