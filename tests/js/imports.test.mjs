import assert from "node:assert/strict"
import { test } from "node:test"
import { deflateRawSync } from "node:zlib"
import { partsOf } from "app/imports/batches.js"
import { read } from "app/imports/file.js"
import { found } from "app/imports/shapes.js"

/** @param {import("app/imports/kept-tree.js").Talk} talk what was said, each with the place of the one it follows */
const told = ({ messages }) => messages.map(({ id, parent_id: parent, role, text }) => [messages.findIndex((each) => each.id === parent), role, text, id])
const line = (/** @type {any} */ talk) => told(talk).map(([above, role, text]) => `${above} ${role}: ${text}`)

const node = (id, parent, role, content, more = {}) => [id, { id, parent, children: [], message: role && { id, author: { role }, create_time: more.at ?? 1732500000.5, content, recipient: more.recipient ?? "all", metadata: more.metadata ?? {} } }]
const text = (...parts) => ({ content_type: "text", parts })
const CHATGPT = [
  {
    title: "唐诗",
    create_time: 1732500000.5,
    update_time: 1732500100,
    conversation_id: "c-1",
    is_archived: true,
    current_node: "a2",
    mapping: Object.fromEntries([
      node("root", null, null, null),
      node("s", "root", "system", text("")),
      node("hidden", "s", "user", text("custom"), { metadata: { is_visually_hidden_from_conversation: true } }),
      node("q", "hidden", "user", { content_type: "multimodal_text", parts: [{ content_type: "image_asset_pointer" }, "你好", "世界"] }),
      node("a1", "q", "assistant", text("first")),
      node("t", "q", "assistant", { content_type: "thoughts", thoughts: [{ summary: "Plan", content: "think" }] }),
      node("call", "t", "assistant", { content_type: "code", text: "search()" }, { recipient: "web" }),
      node("tool", "call", "tool", { content_type: "text", parts: ["result"] }),
      node("a2", "tool", "assistant", text("second"), { metadata: { model_slug: "gpt-5" } }),
      node("a3", "a2", "assistant", text("and more")),
    ]),
  },
  { title: "empty", create_time: 1732500000, current_node: "r", mapping: Object.fromEntries([node("r", null, null, null)]) },
]

test("ChatGPT: branches stay, what is not of the talk goes, thoughts come before their answer", () => {
  const { source, talks, empty } = found(CHATGPT)
  assert.deepEqual([source, talks.length, empty], ["ChatGPT", 1, 1])
  const [talk] = talks
  assert.deepEqual(line(talk), ["-1 user: 你好\n\n世界", "0 assistant: first", "0 assistant: second\n\nand more"])
  assert.deepEqual([talk.id, talk.title, talk.archived], ["c-1", "唐诗", true])
  assert.equal(talk.created_at, "2024-11-25T02:00:00.500Z")
  assert.deepEqual([talk.messages[2].reasoning, talk.messages[2].model], ["Plan\n\nthink", "gpt-5"])
})

test("DeepSeek: fragments are what was asked, thought and answered", () => {
  const message = (at, ...fragments) => ({ files: [], model: "deepseek-reasoner", inserted_at: at, fragments: fragments.map(([type, content]) => ({ type, content })) })
  const { source, talks } = found([
    {
      id: "d-1",
      title: "问",
      inserted_at: "2025-02-01T10:00:00.000000+08:00",
      updated_at: "2025-02-01T10:05:00.000000+08:00",
      mapping: {
        root: { id: "root", parent: null, children: ["1"], message: null },
        1: { id: "1", parent: "root", children: ["2", "3"], message: message("2025-02-01T10:00:00+08:00", ["REQUEST", "为什么？"]) },
        2: { id: "2", parent: "1", children: [], message: message("2025-02-01T10:00:10+08:00", ["THINK", "想"], ["SEARCH", "x"], ["RESPONSE", "因为"]) },
        3: { id: "3", parent: "1", children: [], message: message("2025-02-01T10:01:10+08:00", ["RESPONSE", "再答"]) },
      },
    },
  ])
  assert.equal(source, "DeepSeek")
  assert.deepEqual(line(talks[0]), ["-1 user: 为什么？", "0 assistant: 因为", "0 assistant: 再答"])
  assert.deepEqual([talks[0].messages[1].reasoning, talks[0].messages[1].created_at], ["想", "2025-02-01T02:00:10.000Z"])
})

test("DeepSeek: files of before have no fragments, and speakers take turns", () => {
  const said = (content, thoughts = null) => ({ model: "deepseek-chat", content, reasoning_content: thoughts, inserted_at: "2025-02-01T10:00:00+08:00" })
  const mapping = { root: { id: "root", parent: null, message: null }, 1: { id: "1", parent: "root", message: said("问") }, 2: { id: "2", parent: "1", message: said("答", "想") }, 3: { id: "3", parent: "2", message: said("再问") } }
  const [talk] = found([{ id: "d", title: "t", inserted_at: "2025-02-01T10:00:00+08:00", mapping }]).talks
  assert.deepEqual(line(talk), ["-1 user: 问", "0 assistant: 答", "1 user: 再问"])
  assert.equal(talk.messages[1].reasoning, "想")
})

test("Claude: one behind the other, or as its newer files say", () => {
  const message = (uuid, sender, words, more = {}) => ({ uuid, sender, text: words, content: [{ type: "text", text: words }], created_at: "2025-03-01T00:00:00Z", attachments: [], files: [], ...more })
  const head = { uuid: "k-1", name: "Poems", created_at: "2025-03-01T00:00:00.123456Z", updated_at: "2025-03-01T01:00:00Z" }
  const plain = [message("1", "human", "hi", { attachments: [{ file_name: "a.txt", extracted_content: "inside" }] }), message("2", "assistant", "hello", { content: [{ type: "thinking", thinking: "hm" }, { type: "text", text: "hello" }] })]
  const first = found([{ ...head, chat_messages: plain }])
  assert.equal(first.source, "Claude")
  assert.deepEqual(line(first.talks[0]), ["-1 user: hi", "0 assistant: hello"])
  assert.equal(first.talks[0].messages[1].reasoning, "hm")
  const ROOT = "00000000-0000-4000-8000-000000000000"
  const branched = [message("1", "human", "hi", { parent_message_uuid: ROOT }), message("2", "assistant", "one", { parent_message_uuid: "1" }), message("3", "assistant", "other", { parent_message_uuid: "1" })]
  assert.deepEqual(line(found([{ ...head, chat_messages: branched }]).talks[0]), ["-1 user: hi", "0 assistant: one", "0 assistant: other"])
})

test("Open WebUI: the history's tree, with thoughts out of their details", () => {
  const { source, talks } = found([
    {
      id: "w-1",
      title: "T",
      pinned: true,
      created_at: 1740000000,
      updated_at: 1740000100,
      chat: {
        history: {
          currentId: "b",
          messages: {
            q: { id: "q", parentId: null, childrenIds: ["a", "b"], role: "user", content: "hi", timestamp: 1740000000 },
            a: { id: "a", parentId: "q", childrenIds: [], role: "assistant", model: "m", content: '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n> a &gt; b\n</details>\nthen', timestamp: 1740000001 },
            b: { id: "b", parentId: "q", childrenIds: [], role: "assistant", content: "other", timestamp: 1740000002 },
          },
        },
      },
    },
  ])
  assert.equal(source, "Open WebUI")
  assert.deepEqual(line(talks[0]), ["-1 user: hi", "0 assistant: then", "0 assistant: other"])
  assert.deepEqual([talks[0].messages[1].reasoning, talks[0].pinned_at], ["a > b", talks[0].updated_at])
})

test("LibreChat: flat, and one in the other", () => {
  const root = "00000000-0000-0000-0000-000000000000"
  const flat = [
    { messageId: "1", parentMessageId: root, isCreatedByUser: true, text: "hi", createdAt: "2025-01-01T00:00:00Z" },
    { messageId: "2", parentMessageId: "1", isCreatedByUser: false, content: [{ type: "think", think: "hm" }, { type: "text", text: { value: "one" } }], model: "m", createdAt: "2025-01-01T00:00:01Z" },
    { messageId: "3", parentMessageId: "1", isCreatedByUser: false, text: "other", createdAt: "2025-01-01T00:00:02Z" },
  ]
  const head = { conversationId: "l-1", title: "T", endpoint: "openAI", recursive: false }
  const expected = ["-1 user: hi", "0 assistant: one", "0 assistant: other"]
  assert.deepEqual(line(found({ ...head, messages: flat }).talks[0]), expected)
  const nested = [{ ...flat[0], children: [flat[1], flat[2]] }]
  const { source, talks } = found({ ...head, recursive: true, messages: nested })
  assert.equal(source, "LibreChat")
  assert.deepEqual(line(talks[0]), expected)
})

const OWN = { format: "mingchat.conversations", version: 1, exported_at: "2026-11-29T00:00:00Z", folders: [], conversations: [{ id: "o-1", title: "T", created_at: "2026-11-29T00:00:00Z", updated_at: "2026-11-29T00:00:00Z", messages: [{ id: "1", parent_id: null, role: "user", text: "hi", created_at: "2026-11-29T00:00:00Z" }] }] }

test("our own comes as it is, and one of a later version not at all", () => {
  assert.deepEqual(found(OWN), { source: "MingChat", folders: [], talks: OWN.conversations, empty: 0, contents: new Map(), left: { tools: 0, pictures: 0, other: 0 }, unread: [] })
  assert.throws(() => found({ ...OWN, version: 2 }), { code: "import_newer" })
})

test("what is no export is refused", () => {
  for (const each of [null, 7, "x", [], {}, [{}], [[]], { messages: [] }, { conversations: "x" }, { ...OWN, conversations: 3 }]) {
    assert.throws(() => found(each), (error) => ["import_unknown"].includes(error.code), JSON.stringify(each))
  }
})

test("a ring, a message that names itself and one without its parent break nothing", () => {
  const mapping = Object.fromEntries([node("a", "b", "user", text("a")), node("b", "a", "assistant", text("b")), node("c", "gone", "user", text("c")), node("d", "d", "user", text("d"))])
  const { talks } = found([{ title: "", create_time: 1, current_node: "a", mapping }])
  assert.deepEqual(line(talks[0]), ["-1 user: c", "-1 user: d"])
})

test("a very deep talk is read", () => {
  const mapping = Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => node(String(n), n ? String(n - 1) : null, n % 2 ? "assistant" : "user", text("x"))))
  assert.equal(found([{ create_time: 1, current_node: "0", mapping }]).talks[0].messages.length, 30_000)
})

/** A zip of one file. @param {string} name @param {Uint8Array} packed @param {number} method @param {number} size */
function zip(name, packed, method, size) {
  const named = new TextEncoder().encode(name)
  const local = new DataView(new ArrayBuffer(30))
  local.setUint32(0, 0x04034b50, true)
  local.setUint16(8, method, true)
  local.setUint16(26, named.length, true)
  const entry = new DataView(new ArrayBuffer(46))
  entry.setUint32(0, 0x02014b50, true)
  entry.setUint16(10, method, true)
  entry.setUint32(20, packed.length, true)
  entry.setUint32(24, size, true)
  entry.setUint16(28, named.length, true)
  const end = new DataView(new ArrayBuffer(22))
  end.setUint32(0, 0x06054b50, true)
  end.setUint32(12, 46 + named.length, true)
  end.setUint32(16, 30 + named.length + packed.length, true)
  return new Blob([local, named, packed, entry, named, end])
}

const json = (value) => new TextEncoder().encode(JSON.stringify(value))

test("a zip is read without unpacking more than may be", async () => {
  const plain = json(CHATGPT)
  for (const [packed, method] of [[plain, 0], [deflateRawSync(plain), 8]]) {
    const { source, talks } = await read(zip("export/conversations.json", packed, method, plain.length))
    assert.deepEqual([source, talks.length], ["ChatGPT", 1])
  }
  const bomb = deflateRawSync(new Uint8Array(20_000_000).fill(32))
  await assert.rejects(read(zip("conversations.json", bomb, 8, 10), 1_000_000), { code: "import_too_long" })
  await assert.rejects(read(zip("conversations.json", plain.slice(0, 50), 8, 10)), { code: "import_broken" })
  await assert.rejects(read(zip("other.txt", plain, 0, plain.length)), { code: "import_nothing_inside" })
  await assert.rejects(read(new Blob(["PK nothing else"])), { code: "import_broken" })
})

test("a file that is none is told from one that is damaged", async () => {
  assert.equal((await read(new Blob([json(OWN)]))).source, "MingChat")
  for (const each of ["", "{", "<html>", new Uint8Array([0xff, 0xfe])]) await assert.rejects(read(new Blob([each])), { code: "import_broken" })
  await assert.rejects(read(new Blob([" ".repeat(2_000)]), 1_000), { code: "import_too_long" })
})

test("parts are as large as the server takes, and hold each talk once", () => {
  const talk = (id, length) => ({ ...OWN.conversations[0], id, messages: [{ ...OWN.conversations[0].messages[0], text: "字".repeat(length) }] })
  const talks = [talk("a", 10), talk("b", 120_000), talk("c", 120_000), talk("d", 3_000_000), ...Array.from({ length: 60 }, (_, n) => talk(`e${n}`, 1))]
  const parts = [...partsOf(talks)]
  assert.deepEqual(parts.flatMap((part) => part.talks.map(({ id }) => id)).sort(), talks.map(({ id }) => id).sort())
  assert.deepEqual(parts.filter((part) => part.isTooLong).map((part) => part.talks.map(({ id }) => id)), [["d"]])
  for (const part of parts) assert.ok(part.talks.length <= 50)
})
