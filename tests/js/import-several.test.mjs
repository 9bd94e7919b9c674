import assert from "node:assert/strict"
import { test } from "node:test"
import { read, readAll } from "app/imports/file.js"
import { found } from "app/imports/shapes.js"
import { zipped } from "./zips.mjs"

const message = (id) => ({ messageId: id, sender: "User", isCreatedByUser: true, text: `hi ${id}`, createdAt: "2026-01-01T00:00:00Z" })
const librechat = (id) => ({ conversationId: id, title: id, messages: [message(id)] })
const file = (name, value) => new File([JSON.stringify(value)], name)

test("several files are one import, and one of them that cannot be read is named", async () => {
  const claude = [{ uuid: "k", name: "t", created_at: "2026-01-01T00:00:00Z", chat_messages: [{ uuid: "1", sender: "human", text: "hi" }] }]
  const { source, talks, unread } = await readAll([file("a.json", librechat("a")), file("b.json", librechat("b")), file("c.json", { no: 1 }), file("d.json", claude)])
  assert.deepEqual([source, talks.map(({ id }) => id)], ["LibreChat, Claude", ["a", "b", "k"]])
  assert.deepEqual(unread, [{ title: "c.json", code: "import_unknown" }])
})

test("where none can be read it is said why", async () => {
  await assert.rejects(readAll([file("a.json", 7), file("b.json", 8)]), { code: "import_unknown" })
})

test("several files have room for no more than one", async () => {
  const [one, two] = [file("a.json", librechat("a")), file("b.json", librechat("b"))]
  const { talks, unread } = await readAll([one, two], one.size + 10)
  assert.deepEqual([talks.length, unread[0].code], [1, "import_too_long"])
})

test("a zip of single exports is read whatever they are called", async () => {
  const { talks } = await read(zipped({ "x/One.json": librechat("a"), "Two.json": librechat("b"), "package.json": { name: "x" }, "__MACOSX/._Two.json": 7, "notes.txt": 1 }))
  assert.deepEqual(talks.map(({ id }) => id).sort(), ["a", "b"])
})

test("LibreChat without times: the same conversation with each export, whenever that was", () => {
  const bare = (exportAt) => ({ conversationId: "l", title: "t", exportAt, messages: [{ messageId: "1", sender: "User", text: "hi" }] })
  const [first, second, none] = ["10:02:03 GMT+0800 (China)", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"].map((at) => found(bare(at)).talks[0])
  assert.deepEqual(new Set([first, second, none].map(({ id, created_at: at }) => `${id} ${at}`)).size, 1)
  assert.ok(first.created_at > "2023")
  assert.equal(none.updated_at, "2026-02-01T00:00:00.000Z")
})
