import assert from "node:assert/strict"
import { test } from "node:test"
import { look, send } from "app/imports/batches.js"
import { belongingsIn, lookAt } from "app/imports/belongings.js"
import { read, readAll } from "app/imports/file.js"
import { zipped } from "./zips.mjs"

globalThis.document = { querySelector: () => ({ getAttribute: () => "token" }), documentElement: { dataset: {} } }

const MOMENT = "2026-03-01T00:00:00Z"
const prompt = (id, more = {}) => ({ id, command: `c${id}`, title: "T", text: "Of {{topic}}", created_at: MOMENT, updated_at: MOMENT, ...more })
const assistant = (id, more = {}) => ({ id, name: `N${id}`, icon: "", instructions: "Ask.", model: null, thinking: "max", created_at: MOMENT, updated_at: MOMENT, files: [], ...more })
const NONE = { format: "mingchat.conversations", version: 1, folders: [], conversations: [] }
const reply = (value, status = 200) => new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } })
const lines = (...some) => some.map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join("\n")

/** A server that takes what has an id, but for those of `known`. @param {string[]} asked @param {Set<string>} known */
function server(asked, known = new Set()) {
  globalThis.fetch = async (path, { body }) => {
    const told = JSON.parse(body)
    asked.push([path, told])
    if ([...told.prompts, ...told.assistants].some(({ id }) => !id)) return reply({ error: { code: "bad_request", message: "?" } }, 400)
    const outcome = ({ id }) => ({ id, outcome: known.has(id) ? "known" : "imported", code: null, lacks: id === "lacks" })
    return reply({ prompts: told.prompts.map(outcome), assistants: told.assistants.map(outcome) })
  }
}

test("the zip of everything has them, without a single conversation too", async () => {
  const zip = zipped({ "a/conversations.json": NONE, "a/prompts.jsonl": prompt("1"), "a/assistants.jsonl": assistant("2") })
  const { belongings, talks } = await readAll([zip])
  assert.equal(talks.length, 0)
  assert.deepEqual(belongings.map(({ kind, title, told }) => [kind, title, told]), [
    ["prompts", "/c1", prompt("1")],
    ["assistants", "N2", assistant("2")],
  ])
  const theirs = zipped({ "conversations.json": [{ uuid: "k", name: "", created_at: MOMENT, updated_at: MOMENT, chat_messages: [] }], "prompts.jsonl": prompt("1") })
  assert.deepEqual((await read(theirs)).belongings, [], "what others call so is not read")
})

test("all of a zip together is unpacked to a limit", async () => {
  const long = prompt("1", { text: "x".repeat(600) })
  const zip = (...folders) => zipped({ "conversations.json": NONE, ...Object.fromEntries(folders.map((folder) => [`${folder}/prompts.jsonl`, long])) })
  assert.equal((await read(zip("a"), 1_500)).belongings.length, 1)
  await assert.rejects(read(zip("a", "b"), 1_500), { code: "import_too_long" })
  await assert.rejects(read(zip("a"), JSON.stringify(long).length + 10), { code: "import_too_long" }, "the conversations count, too")
})

test("a line that cannot be read is refused, and stops none of the others", async () => {
  const asked = []
  server(asked, new Set(["3"]))
  const all = [...belongingsIn("prompts", lines(prompt("1"), "{", "", prompt("3"), "null")), ...belongingsIn("assistants", lines(assistant("lacks"), { name: "Nobody" }))]
  const sums = await lookAt(all)
  assert.deepEqual(sums.imported, { prompts: 1, assistants: 1 })
  assert.deepEqual([sums.known, sums.lacking], [1, 1])
  assert.deepEqual(sums.refusals.map(({ title }) => title), ["/", "/", "Nobody"])
  assert.ok(asked.every(([path]) => path === "/api/me/import/look"))
})

test("they go in parts, before the conversations", async () => {
  const asked = []
  server(asked)
  const belongings = belongingsIn("prompts", lines(...Array.from({ length: 150 }, (_, n) => prompt(`${n + 1}`))))
  const told = []
  const sums = await send({ talks: [], folders: [], contents: new Map(), belongings }, (done) => told.push(done), new AbortController().signal)
  assert.deepEqual(asked.map(([path, { prompts }]) => [path, prompts.length]), [["/api/me/import", 100], ["/api/me/import", 50]])
  assert.equal(sums.belongings.imported.prompts, 150)
  assert.deepEqual(told, [150])
})

test("whoever calls it off sends nothing more", async () => {
  const asked = []
  server(asked)
  const belongings = belongingsIn("assistants", lines(assistant("1")))
  const sums = await send({ talks: [], folders: [], contents: new Map(), belongings }, () => undefined, AbortSignal.abort())
  assert.deepEqual([asked, sums.belongings.imported.assistants], [[], 0])
})

test("without any nobody is asked", async () => {
  const asked = []
  server(asked)
  await lookAt([])
  await look([], new Map())
  assert.deepEqual(asked, [])
})
