import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"
import { ApiError } from "app/api.js"
import { RunStream, asMessage } from "app/chat/run-stream.js"

const MESSAGE = { message: "hello", idempotency_key: "k" }
let asked

beforeEach(() => {
  asked = []
  globalThis.document = Object.assign(new EventTarget(), { querySelector: () => null })
  const page = new EventTarget()
  globalThis.addEventListener = page.addEventListener.bind(page)
  globalThis.dispatchEvent = page.dispatchEvent.bind(page)
})
afterEach(() => {
  mock.timers.reset()
  delete globalThis.document
  delete globalThis.addEventListener
  delete globalThis.dispatchEvent
})

test("a broken line is joined again after the last event, and nothing is told twice", async () => {
  answerWith(
    lines(start(1), token(2, "a"), token(3, "b")),
    lines(token(2, "a"), token(3, "b"), token(4, "c"), done(5)),
  )
  const told = await follow(new RunStream({ message: MESSAGE }))
  assert.deepEqual(told.text, "abc")
  assert.deepEqual(told.names.filter((name) => name === "start" || name === "done"), ["start", "done"])
  assert.equal(asked[1].path, "/api/runs/run/events?after=3")
  assert.equal(asked[1].headers.get("Last-Event-ID"), "3")
})

test("how long a call has been running is the server's to say, whatever this page's clock", async () => {
  const began = { id: "c", status: "running", began_at: "2026-11-30T08:00:00.500000Z" }
  const heard = []
  for (const [date, call] of [["Mon, 30 Nov 2026 08:01:00 GMT", began], ["Mon, 30 Nov 2026 08:00:00 GMT", began], ["", began], ["Mon, 30 Nov 2026 08:01:00 GMT", { id: "c", status: "done" }]]) {
    answerWith(new Response(start(1) + event(2, "tool", call) + done(3), { headers: date ? { Date: date } : {} }))
    const stream = new RunStream({ message: MESSAGE })
    stream.addEventListener("tool", ({ detail }) => heard.push(detail.running_ms))
    await stream.follow()
  }
  assert.ok(heard[0] >= 59_500 && heard[0] < 62_000, `${heard[0]} milliseconds`)
  assert.ok(heard[1] < 1_000, "it is not less than nothing")
  assert.deepEqual(heard.slice(2), [0, undefined])
})

test("a send that broke before its first event is sent again under the same key", async () => {
  answerWith(": ping\n\n", lines(start(1), token(2, "a"), done(3)))
  const told = await follow(new RunStream({ message: MESSAGE }))
  assert.equal(told.text, "a")
  assert.deepEqual(asked.map(({ path, body }) => [path, JSON.parse(body).idempotency_key]), [["/api/chat", "k"], ["/api/chat", "k"]])
})

test("a send that never reached the server is not repeated by itself", async () => {
  answerWith(new TypeError("Failed to fetch"))
  await assert.rejects(follow(new RunStream({ message: MESSAGE })), (error) => error instanceof ApiError && error.code === "offline")
  assert.equal(asked.length, 1)
})

test("a server that is not there for a moment is asked again for an answer it had begun", async () => {
  const away = new Response(JSON.stringify({ error: { code: "database_unavailable", message: "…" } }), { status: 503 })
  answerWith(lines(start(1), token(2, "a")), away, lines(token(3, "b"), done(4)))
  assert.equal((await follow(new RunStream({ message: MESSAGE }))).text, "ab")
  assert.equal(asked[2].path, "/api/runs/run/events?after=2")
})

test("a server that is away for minutes is asked until it is back for an answer it had begun", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] })
  answerWith(lines(start(1), token(2, "a")), ...Array(40).fill(new TypeError("Failed to fetch")), lines(token(3, "b"), done(4)))
  const told = follow(new RunStream({ message: MESSAGE }))
  for (let minute = 0; minute < 45; minute++) await pass(10_000)
  assert.equal((await told).text, "ab")
  assert.equal(asked.length, 42)
})

test("a message that a server did not take is not repeated by itself", async () => {
  answerWith(new Response(JSON.stringify({ error: { code: "restarting", message: "…" } }), { status: 503 }))
  await assert.rejects(follow(new RunStream({ message: MESSAGE })), { code: "restarting" })
  assert.equal(asked.length, 1)
})

test("going on by itself waits for a server that is away, and asks under one key", async () => {
  const away = () => new Response(JSON.stringify({ error: { code: "restarting", message: "…" } }), { status: 503 })
  answerWith(away(), new TypeError("Failed to fetch"), lines(start(1), token(2, "c"), done(3)))
  const stream = new RunStream({ goOn: "run", idempotencyKey: "after-run", isPatient: true })
  assert.equal((await follow(stream)).text, "c")
  assert.equal(stream.wasInterrupted, false)
  assert.deepEqual(asked.map(({ path, body }) => [path, JSON.parse(body).idempotency_key]), Array(3).fill(["/api/runs/run/continue", "after-run"]))
})

test("what the server refuses is final", async () => {
  answerWith(lines(start(1)), new Response(JSON.stringify({ error: { code: "sign_in_required", message: "…" } }), { status: 401 }))
  await assert.rejects(follow(new RunStream({ message: MESSAGE })), { code: "sign_in_required" })
})

test("who is refused for too many streams, while dead ones still count, joins an answer that had begun later", async () => {
  const crowded = () => new Response(JSON.stringify({ error: { code: "too_many_streams", message: "…" } }), { status: 429 })
  answerWith(lines(start(1), token(2, "a")), crowded(), lines(token(3, "b"), done(4)))
  assert.equal((await follow(new RunStream({ message: MESSAGE }))).text, "ab")
  answerWith(crowded())
  await assert.rejects(follow(new RunStream({ message: MESSAGE })), { code: "too_many_streams" })
})

test("the stream ends with its last event even if the line stays open", async () => {
  const open = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(lines(start(1), done(2)))) })
  answerWith(new Response(open))
  assert.deepEqual((await follow(new RunStream({ runId: "run" }))).names, ["open", "start", "done"])
})

test("a stream that was closed at its start tells nothing more", async () => {
  answerWith(lines(start(1), token(2, "a"), done(3)))
  const stream = new RunStream({ message: MESSAGE })
  stream.addEventListener("start", () => stream.close())
  const told = await follow(stream)
  assert.deepEqual(told.names.filter((name) => name !== "open"), ["start"])
})

test("events of unknown names are dropped", async () => {
  answerWith(lines(start(1), 'id: 2\nevent: script\ndata: {"text":"x"}\n\n', token(3, "a"), done(4)))
  assert.equal((await follow(new RunStream({ message: MESSAGE }))).names.includes("script"), false)
})

test("a line that falls silent is given up and joined again", async () => {
  const { told } = await silent()
  await pass(44_000)
  assert.equal(asked.length, 1)
  await pass(2_000)
  await pass(1_000)
  assert.equal((await told).text, "ab")
})

test("a send that hangs before any reply is sent again under the same key", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] })
  answerWith(new Promise(() => undefined), lines(start(1), token(2, "a"), done(3)))
  const told = follow(new RunStream({ message: MESSAGE }))
  await pass(44_000)
  assert.equal(asked.length, 1)
  await pass(2_000)
  await pass(1_000)
  assert.equal((await told).text, "a")
  assert.deepEqual(asked.map(({ body }) => JSON.parse(body).idempotency_key), ["k", "k"])
})

test("who comes back to a long silence, as on a phone that slept, gets a new line at once", async () => {
  const { told } = await silent()
  await pass(21_000)
  await back(document, "visibilitychange")
  await back(document, "visibilitychange")
  assert.equal((await told).text, "ab")
})

test("who comes back to a line that spoke just now keeps it", async () => {
  const { told } = await silent()
  await pass(12_000)
  await back(document, "visibilitychange")
  await pass(1_000)
  assert.equal(asked.length, 1)
  await back(globalThis, "online")
  await pass(1_000)
  assert.equal((await told).text, "ab")
})

test("a network that is back ends the old line and the pause before the next", async () => {
  const { told } = await silent()
  await back(globalThis, "online")
  assert.equal(asked.length, 1)
  await back(globalThis, "online")
  assert.equal((await told).text, "ab")
  assert.equal(asked[1].path, "/api/runs/run/events?after=2")
})

/** An answer whose line says no more after a word; the next line has the rest. Time passes only by `pass`. */
async function silent() {
  mock.timers.enable({ apis: ["setTimeout", "Date"] })
  const open = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(lines(start(1), token(2, "a")))) })
  answerWith(new Response(open), lines(token(3, "b"), done(4)))
  const told = follow(new RunStream({ runId: "run" }))
  await pass(0)
  return { told }
}

async function pass(milliseconds) {
  mock.timers.tick(milliseconds)
  await settled()
}

async function back(where, name) {
  where.dispatchEvent(new Event(name))
  await settled()
}

/** Everything that waits for no time has happened. */
async function settled() {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

async function follow(stream) {
  const told = { names: [], text: "" }
  for (const name of ["start", "token", "done", "error", "open", "lost", "script"]) {
    stream.addEventListener(name, ({ detail }) => {
      told.names.push(name)
      if (name === "token") told.text += detail.text
    })
  }
  await stream.follow()
  return told
}

function answerWith(...answers) {
  globalThis.fetch = async (path, { headers, body }) => {
    asked.push({ path, headers, body })
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return typeof answer === "string" ? new Response(answer) : answer
  }
}

const lines = (...events) => events.join("")
const start = (id) => event(id, "start", { run_id: "run", conversation_id: "c", message_id: "m" })
const token = (id, text) => event(id, "token", { text })
const done = (id) => event(id, "done", { status: "complete" })
const event = (id, name, data) => `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`

test("files go by their ids, and only where there are some", () => {
  const outgoing = { text: "what?", idempotencyKey: "k" }
  assert.deepEqual(asMessage({ ...outgoing, files: [{ id: "f1", name: "a.pdf" }, { id: "f2" }] }, null, null).files, ["f1", "f2"])
  const told = [{ id: "f1", told: "whole" }, { id: "f2", told: "pages", told_pages: "3" }, { id: "f3", told: "search", told_pages: null }]
  assert.deepEqual(asMessage({ ...outgoing, files: told }, null, null).files, ["f1", { id: "f2", told: "pages", pages: "3" }, { id: "f3", told: "search" }])
  for (const files of [undefined, []]) assert.ok(!("files" in asMessage({ ...outgoing, files }, null, null)))
})

test("the web is searched where that is wanted, for words", () => {
  const outgoing = { text: "what?", search: true, idempotencyKey: "k" }
  assert.equal(asMessage(outgoing, "c1", "m1").search, true)
  assert.ok(!("search" in asMessage({ ...outgoing, search: undefined }, null, null)))
  assert.ok(!("search" in asMessage({ ...outgoing, text: "", files: [{ id: "f1" }] }, null, null)))
})

test("an assistant goes with the first message of a conversation alone", () => {
  const outgoing = { text: "what?", assistant: "a1", idempotencyKey: "k" }
  assert.equal(asMessage(outgoing, null, null).assistant_id, "a1")
  assert.ok(!("assistant_id" in asMessage(outgoing, "c1", "m1")))
})

test("the tools that are chosen go along, where there are any", () => {
  const outgoing = { text: "what?", tools: ["web", "s1"], idempotencyKey: "k" }
  assert.deepEqual(asMessage(outgoing, "c1", "m1").tools, ["web", "s1"])
  assert.ok(!("tools" in asMessage({ ...outgoing, tools: [] }, null, null)))
  assert.ok(!("tools" in asMessage({ ...outgoing, tools: undefined }, null, null)))
})
