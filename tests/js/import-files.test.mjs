import assert from "node:assert/strict"
import { test } from "node:test"
import { found } from "app/imports/shapes.js"

const MOMENT = "2025-03-01T00:00:00Z"

/** The files of the first message, and what is in those that the export has. @param {unknown} file */
async function filesIn(file) {
  const { talks, contents } = found(file)
  const [said] = talks[0].messages
  const read = await Promise.all([...contents].map(async ([id, { name, read }]) => [id, name, await (await read())?.text()]))
  return { files: (said.files ?? []).map(({ id, name, kind, content_type: type, bytes, absent }) => [id, name, kind, type, bytes, absent]), read, said }
}

const claude = (message) => [{ uuid: "k", name: "", created_at: MOMENT, updated_at: MOMENT, chat_messages: [{ uuid: "m", sender: "human", text: "hi", created_at: MOMENT, ...message }] }]

test("Claude: what was read of a file is one, what is only named is named", async () => {
  const attachments = [
    { file_name: "notes.md", file_type: "text/markdown", file_size: 9, extracted_content: "inside 内" },
    { file_name: "report.pdf", file_type: "pdf", file_size: 5_000, extracted_content: "words of it" },
    { file_name: "", file_type: "txt", file_size: 3, extracted_content: "pasted" },
    { file_name: "empty.pdf", file_type: "pdf", file_size: 7, extracted_content: "" },
  ]
  const { files, read, said } = await filesIn(claude({ attachments, files: [{ file_uuid: "u", file_name: "board.png", file_kind: "image" }, { file_name: "report.pdf" }] }))
  assert.equal(said.text, "hi")
  assert.deepEqual(files, [
    ["m.0", "notes.md", "text", "text/plain", 10, "left_out"],
    ["m.1", "report.pdf.txt", "text", "text/plain", 11, "left_out"],
    ["m.2", "text.txt", "text", "text/plain", 6, "left_out"],
    ["m.3", "empty.pdf", "document", "pdf", 7, "left_out"],
    ["u", "board.png", "picture", "image/*", 0, "left_out"],
  ])
  assert.deepEqual(read, [["m.0", "notes.md", "inside 内"], ["m.1", "report.pdf.txt", "words of it"], ["m.2", "text.txt", "pasted"]])
})

test("a question of nothing but files is one", async () => {
  const { files } = await filesIn(claude({ text: "", files: [{ file_name: "board.png" }] }))
  assert.deepEqual(files.map(([, name]) => name), ["board.png"])
})

test("beyond ten, texts stand in the question, and the others are named there", async () => {
  const attachments = Array.from({ length: 12 }, (_, n) => ({ file_name: `${n}.txt`, extracted_content: n === 11 ? "" : `words ${n}` }))
  const { files, said } = await filesIn(claude({ attachments }))
  assert.equal(files.length, 10)
  assert.equal(said.text, "hi\n\n10.txt\n\nwords 10\n\n11.txt")
})

test("ChatGPT: files are listed beside their message, and pictures among its parts", async () => {
  const attachments = [{ id: "file-abc", name: "report.pdf", size: 4_000, mime_type: "application/pdf" }, { id: "file-pic", name: "board.png", size: 50, mimeType: "image/png" }]
  const parts = [{ content_type: "image_asset_pointer", asset_pointer: "file-service://file-pic", size_bytes: 50 }, { content_type: "image_asset_pointer", asset_pointer: "sediment://file_0001", size_bytes: 60 }, ""]
  const message = { author: { role: "user" }, create_time: 1732500000, content: { content_type: "multimodal_text", parts }, metadata: { attachments } }
  const { files, read } = await filesIn([{ title: "T", create_time: 1732500000, current_node: "q", mapping: { q: { id: "q", parent: null, message } } }])
  assert.deepEqual(files, [
    ["file-abc", "report.pdf", "document", "application/pdf", 4_000, "left_out"],
    ["file-pic", "board.png", "picture", "image/png", 50, "left_out"],
    ["file_0001", "file_0001", "picture", "image/*", 60, "left_out"],
  ])
  assert.deepEqual(read, [])
})

test("Open WebUI: pictures stand in their addresses, and what was read of documents beside them", async () => {
  const files = [
    { type: "image", url: "data:image/png;base64,aGVsbG8=" },
    { type: "image", url: "/api/v1/files/9/content", id: "9", name: "far.png" },
    { type: "file", id: "8", name: "report.pdf", size: 4_000, file: { filename: "report.pdf", meta: { content_type: "application/pdf" }, data: { content: "words of it" } } },
    { type: "image", id: "7", url: "data:image/png;base64,%%%" },
    { type: "collection", name: "none of these" },
  ]
  const messages = { q: { id: "q", parentId: null, role: "user", content: "hi", timestamp: 1740000000, files } }
  const told = await filesIn([{ id: "w", title: "T", created_at: 1740000000, updated_at: 1740000000, chat: { history: { messages } } }])
  assert.deepEqual(told.files.map(([id, name, kind]) => [id, name, kind]), [["q.0", "picture", "picture"], ["9", "far.png", "picture"], ["8", "report.pdf.txt", "text"], ["7", "picture", "picture"]])
  assert.deepEqual(told.read, [["q.0", "picture", "hello"], ["8", "report.pdf.txt", "words of it"], ["7", "picture", undefined]])
})

test("LibreChat and DeepSeek: files are listed with their message", async () => {
  const said = { messageId: "1", parentMessageId: null, isCreatedByUser: true, text: "hi", createdAt: MOMENT, files: [{ file_id: "f", filename: "a.pdf", type: "application/pdf", bytes: 12 }, {}] }
  const libre = await filesIn({ conversationId: "l", title: "T", messages: [said] })
  assert.deepEqual(libre.files, [["f", "a.pdf", "document", "application/pdf", 12, "left_out"]])
  const message = { inserted_at: MOMENT, fragments: [{ type: "REQUEST", content: "hi" }], files: [{ id: "d", file_name: "b.pdf", file_size: 8 }, "odd", null] }
  const deep = await filesIn([{ id: "x", title: "T", inserted_at: MOMENT, updated_at: MOMENT, mapping: { 1: { id: "1", parent: null, message } } }])
  assert.deepEqual(deep.files, [["d", "b.pdf", "document", "", 8, "left_out"]])
  const twice = ["x", "y"].map((id) => ({ id, title: "T", inserted_at: MOMENT, updated_at: MOMENT, mapping: { 1: { id: "1", parent: null, message: { ...message, files: [{ file_name: "c.txt", content: id }] } } } }))
  assert.deepEqual([...found(twice).contents.keys()], ["x.1.0", "y.1.0"], "messages of two talks bear the same number")
})

test("what is not told as it should be breaks nothing", () => {
  for (const odd of [null, 5, "x", {}, [null], [5], [{ file_name: 5, extracted_content: {} }], [[]]]) {
    assert.equal(found(claude({ attachments: odd, files: odd })).talks[0].messages[0].text, "hi")
    const message = { author: { role: "user" }, content: { content_type: "text", parts: ["hi"] }, metadata: { attachments: odd } }
    assert.equal(found([{ create_time: 1, current_node: "q", mapping: { q: { parent: null, message } } }]).talks[0].messages[0].text, "hi")
    const messages = { q: { parentId: null, role: "user", content: "hi", files: odd } }
    assert.equal(found([{ id: "w", chat: { history: { messages } } }]).talks[0].messages[0].text, "hi")
  }
})

test("a file without an id has the place where it stands, and one without a name too is none", () => {
  const odd = (named) => [{ ...named }, { ...named, id: "", uuid: "", file_id: "", file_uuid: "" }, { id: "", file_uuid: "" }]
  const chat = (parts, attachments) => ({ author: { role: "user" }, content: { content_type: "multimodal_text", parts }, metadata: { attachments } })
  const pictures = ["", "sediment://file_1"].map((pointer) => ({ content_type: "image_asset_pointer", asset_pointer: pointer }))
  const shapes = {
    ChatGPT: [{ create_time: 1, current_node: "q", mapping: { q: { parent: null, message: chat(["hi", ...pictures], odd({ name: "a.txt" })) } } }],
    Claude: claude({ files: odd({ file_name: "a.txt" }), attachments: [{}] }),
    "Open WebUI": [{ id: "w", chat: { history: { messages: { q: { parentId: null, role: "user", content: "hi", files: odd({ type: "file", name: "", file: { filename: "a.txt" } }) } } } } }],
    LibreChat: { conversationId: "l", messages: [{ messageId: "1", isCreatedByUser: true, text: "hi", files: odd({ filename: "a.txt" }) }] },
    DeepSeek: [{ id: "x", inserted_at: MOMENT, mapping: { 1: { id: "1", parent: null, message: { fragments: [{ type: "REQUEST", content: "hi" }], files: odd({ file_name: "a.txt" }) } } } }],
  }
  for (const [source, file] of Object.entries(shapes)) {
    const [said] = found(file).talks[0].messages
    const ids = said.files.map(({ id }) => id)
    assert.deepEqual([found(file).source, ids.filter(Boolean).length, new Set(ids).size], [source, ids.length, ids.length])
    assert.deepEqual(said.files.map(({ name }) => name), source === "ChatGPT" ? ["a.txt", "a.txt", "file_1"] : ["a.txt", "a.txt"])
  }
})
