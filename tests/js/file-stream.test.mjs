import assert from "node:assert/strict"
import { test } from "node:test"
import { countingFiles, countingLines, fileName } from "app/file-stream.js"

const TEXT = "id,name\r\n1,一\r\n2,二\r\n3,last"

test("a file comes as it is, however it is cut, and its lines are counted on the way", async () => {
  const bytes = new TextEncoder().encode(TEXT)
  for (let size = 1; size <= bytes.length; size++) {
    const told = []
    let length = 0
    const whole = await new Response(pieces(bytes, size).pipeThrough(countingLines((lines, come) => ((length = come), told.push(lines))))).text()
    assert.equal(whole, TEXT)
    assert.equal(length, bytes.length)
    assert.equal(told.at(-1), 3)
    assert.deepEqual(told, [...told].sort((a, b) => a - b))
  }
})

test("the files of a zip are counted on the way, however it is cut", async () => {
  const text = "PK\x03\x04a PPK\x03\x04 PK\x03 PK\x01\x02 PK\x03PK\x03\x04"
  const bytes = new TextEncoder().encode(text)
  for (let size = 1; size <= bytes.length; size++) {
    const told = []
    let length = 0
    const whole = await new Response(pieces(bytes, size).pipeThrough(countingFiles((files, come) => ((length = come), told.push(files))))).text()
    assert.equal(whole, text)
    assert.equal(length, bytes.length)
    assert.equal(told.at(-1), 3)
  }
})

test("what breaks off gives no file", async () => {
  const broken = new ReadableStream({
    start(rest) {
      rest.enqueue(new TextEncoder().encode("one\ntwo"))
    },
    pull(rest) {
      rest.error(new TypeError("network error"))
    },
  })
  await assert.rejects(new Response(broken.pipeThrough(countingLines(() => {}))).blob(), TypeError)
})

test("a file has the name that the server gives it", () => {
  const named = `attachment; filename="-2026-11-26.csv"; filename*=UTF-8''${encodeURIComponent("明畅记录-2026-11-26.csv")}`
  assert.equal(fileName(new Headers({ "Content-Disposition": named })), "明畅记录-2026-11-26.csv")
  assert.equal(fileName(new Headers()), "")
})

/** @param {Uint8Array} bytes @param {number} size */
function pieces(bytes, size) {
  return new ReadableStream({
    start(rest) {
      for (let at = 0; at < bytes.length; at += size) rest.enqueue(bytes.slice(at, at + size))
      rest.close()
    },
  })
}
