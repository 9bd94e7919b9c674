import assert from "node:assert/strict"
import { test } from "node:test"
import { look, send } from "app/imports/batches.js"
import { found } from "app/imports/shapes.js"

globalThis.document = { querySelector: () => ({ getAttribute: () => "token" }), documentElement: { dataset: { timezone: "Asia/Tokyo" }, lang: "en" } }
const { linesOf } = await import("app/imports/refusal-lines.js")
const { formatSpan } = await import("app/i18n.js")

const said = { id: "1", parent_id: null, role: "user", text: "hi", created_at: "2026-01-01T00:00:00Z" }
const talk = (/** @type {number} */ number, more = {}) => ({ id: `c-${number}`, title: `T${number}`, messages: [said], folder_id: null, ...more })
const replied = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } })

/** A server that cannot read a part in which one of these is. */
function serving(...unread) {
  const asked = []
  globalThis.fetch = async (path, { body }) => {
    const ids = JSON.parse(body).conversations.map(({ id }) => id)
    asked.push(ids.length)
    if (ids.some((id) => unread.includes(id))) return replied(400, { error: { code: "malformed_json", message: "?" } })
    return replied(200, { outcomes: ids.map((id) => ({ id, outcome: "imported" })) })
  }
  return asked
}

test("one that the server cannot read is named, and all others come in", async () => {
  const asked = serving("c-5")
  const talks = Array.from({ length: 8 }, (_, at) => talk(at))
  const looked = await look(talks, new Map())
  const sums = await send({ talks, folders: [], contents: new Map() }, () => undefined, new AbortController().signal)
  for (const { imported, refused, refusals } of [looked, sums]) {
    assert.deepEqual([imported, refused, refusals], [7, 1, [{ title: "T5", code: "malformed_json" }]])
  }
  assert.ok(asked.length <= 14, "by halves")
})

test("what the server refuses by itself is named with its reason", async () => {
  globalThis.fetch = async () => replied(200, { outcomes: [{ id: "c-1", outcome: "refused", code: "import_not_a_tree" }, { id: "c-2", outcome: "too_old" }] })
  const sums = await send({ talks: [talk(1), talk(2)], folders: [], contents: new Map() }, () => undefined, new AbortController().signal)
  assert.deepEqual(sums.refusals, [{ title: "T1", code: "import_not_a_tree" }, { title: "T2", code: "too_old" }])
})

test("a preview promises nothing that is too much", async () => {
  serving()
  const long = talk(1, { messages: [{ ...said, text: "x".repeat(7_600_000) }] })
  const many = talk(2, { messages: Array.from({ length: 20_001 }, (_, at) => ({ ...said, id: String(at) })) })
  const called = talk(4, { messages: [{ ...said, calls: Array.from({ length: 20_000 }, () => ({})) }] })
  const { imported, refused, refusals } = await look([long, many, talk(3), called], new Map())
  const wanted = ["too_long", "import_too_many_messages", "import_too_many_messages"]
  assert.deepEqual([imported, refused, refusals.map(({ code }) => code)], [1, 3, wanted])
})

test("a preview asks once more where it is told to wait, and no more often", async () => {
  let asked = 0
  const slowly = () => replied(429, { error: { code: "too_many", message: "Slowly." } }, { "Retry-After": "0" })
  globalThis.fetch = async () => (asked++ ? replied(200, { outcomes: [{ id: "c-1", outcome: "imported" }] }) : slowly())
  assert.equal((await look([talk(1)], new Map())).imported, 1)
  globalThis.fetch = async () => slowly()
  await assert.rejects(look([talk(1)], new Map()), { code: "too_many" })
})

test("twenty are named, and how many more there are", () => {
  const lines = linesOf(Array.from({ length: 25 }, (_, at) => ({ title: `T${at}`, code: "import_empty" })))
  assert.equal(lines.length, 21)
})

test("a title that is cut within a character, and ids that are none, are mended", () => {
  const librechat = (title, text) => ({ conversationId: null, title, messages: [{ messageId: "", sender: "User", text, createdAt: "2026-01-01T00:00:00Z" }, { messageId: null, sender: "AI", text: "yes" }] })
  const file = [librechat("x".repeat(199) + "😀", "hi")]
  const [{ talks }, { talks: again }] = [found(file), found(file)]
  assert.ok(talks[0].title.isWellFormed())
  assert.ok(talks[0].id, "one is made")
  assert.equal(talks[0].id, again[0].id)
  const ids = talks[0].messages.map(({ id }) => id)
  assert.equal(new Set(ids).size, 2)
  assert.ok(ids.every(Boolean))
  const [cut] = found([{ ...file[0], conversationId: `😀${"y".repeat(63)}` }]).talks
  assert.ok(cut.id.isWellFormed() && cut.id.length === 64)
})

test("days are those of the reader's clock", () => {
  assert.equal(formatSpan("2026-01-01T16:00:00Z", "2026-01-03T16:00:00Z").replaceAll("\u2009", " "), "Jan 2 – 4, 2026")
})

test("of what is here already the server is told the messages, and says which go on", async () => {
  const asked = []
  globalThis.fetch = async (path, { body }) => {
    const { conversations } = JSON.parse(body)
    asked.push(conversations)
    return replied(200, { outcomes: conversations.map(({ id, messages }) => ({ id, outcome: messages && id === "c-1" ? "continued" : "known" })) })
  }
  const named = { id: "f", name: "f.txt", kind: "text", content_type: "text/plain", bytes: 1 }
  const talks = [talk(1, { messages: [{ ...said, files: [named] }] }), talk(2)]
  const sums = await look(talks, new Map([["f", { name: "f.txt", read: async () => null }]]))
  assert.deepEqual([sums.continued, sums.known], [1, 1])
  assert.deepEqual(asked[1].map(({ messages, filled }) => [messages, filled]), [[["1"], ["1"]], [["1"], []]])
})
