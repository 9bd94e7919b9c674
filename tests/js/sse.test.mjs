import assert from "node:assert/strict"
import { test } from "node:test"
import { SseParser, serverEvents } from "app/chat/sse.js"

const STREAM =
  "\uFEFF: ping\n\nid: 1\r\nevent: start\r\ndata: {\"run_id\":\"r\"}\r\n\r\nid: 2\revent: token\rdata: 你好,\rdata: 世界 🌏\r\r" +
  "event: token\ndata\ndata:  two\n\nid: 3\nevent: nothing\n\nretry: 10\nid:4\ndata:last\n\nid: 5\ndata: unfinished"

const EVENTS = [
  { id: "1", name: "start", data: '{"run_id":"r"}' },
  { id: "2", name: "token", data: "你好,\n世界 🌏" },
  { id: "2", name: "token", data: "\n two" },
  { id: "4", name: "message", data: "last" },
]

test("a stream gives the same events cut in two at any place", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) assert.deepEqual(eventsOf([STREAM.slice(0, cut), STREAM.slice(cut)]), EVENTS, `cut at ${cut}`)
})

test("a stream gives the same events character by character, with empty pieces between", () => {
  assert.deepEqual(eventsOf([...STREAM].flatMap((character) => [character, ""])), EVENTS)
})

test("bytes may break inside a character", async () => {
  const bytes = new TextEncoder().encode(STREAM)
  for (let size = 1; size < 8; size++) {
    const found = []
    for await (const event of serverEvents(streamOf(bytes, size))) found.push(event)
    assert.deepEqual(found, EVENTS, `pieces of ${size}`)
  }
})

test("an id that holds NUL is ignored, as the standard says", () => {
  assert.deepEqual(eventsOf(["id: 7\n\nid: a\0b\ndata: x\n\n"]), [{ id: "7", name: "message", data: "x" }])
})

function eventsOf(pieces) {
  const parser = new SseParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

function streamOf(bytes, size) {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
}
