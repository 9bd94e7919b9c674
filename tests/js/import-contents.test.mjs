import assert from "node:assert/strict"
import { test } from "node:test"
import { deflateRawSync } from "node:zlib"
import { send } from "app/imports/batches.js"
import { read } from "app/imports/file.js"

globalThis.document = { querySelector: () => ({ getAttribute: () => "token" }), documentElement: { dataset: {}, lang: "en" }, getElementById: () => null }
globalThis.createImageBitmap = async () => assert.fail("it is sent as it is")

const MOMENT = "2026-01-01T00:00:00Z"
const named = (id, name) => ({ id, name, kind: "text", content_type: "text/plain", bytes: 5, digest: null, absent: null })
const talk = (id, ...files) => ({ id, title: id, created_at: MOMENT, updated_at: MOMENT, messages: [{ id: "1", parent_id: null, role: "user", text: "hi", created_at: MOMENT, files }] })
const own = (...conversations) => ({ format: "mingchat.conversations", version: 1, folders: [], conversations })
const bytes = (value) => new TextEncoder().encode(value)

const WIDE = 0xffffffff

/** A zip of these files. @param {[string, Uint8Array, number?][]} files name, content, method @param {boolean} [isWide] as those beyond 4 GB are */
function zip(files, isWide = false) {
  const [parts, list] = [[], []]
  let at = 0
  for (const [path, content, method = 8] of files) {
    const name = bytes(path)
    const packed = method === 8 ? deflateRawSync(content) : content
    const [local, entry] = [new DataView(new ArrayBuffer(30)), new DataView(new ArrayBuffer(46))]
    local.setUint32(0, 0x04034b50, true)
    local.setUint16(26, name.length, true)
    entry.setUint32(0, 0x02014b50, true)
    entry.setUint16(10, method, true)
    entry.setUint32(20, packed.length, true)
    entry.setUint16(28, name.length, true)
    entry.setUint32(42, at, true)
    parts.push(local, name, packed)
    list.push(entry, name)
    if (isWide) list.push(widened(entry, content.length, packed.length, at))
    at += 30 + name.length + packed.length
  }
  const end = new DataView(new ArrayBuffer(22))
  end.setUint32(0, 0x06054b50, true)
  end.setUint32(12, list.reduce((sum, each) => sum + each.byteLength, 0), true)
  end.setUint32(16, at, true)
  return new Blob([...parts, ...list, ...(isWide ? wideEnd(end) : []), end])
}

/** The numbers of an entry in a field of its own, behind another. @param {DataView} entry @param {number[]} numbers */
function widened(entry, ...numbers) {
  for (const place of [20, 24, 42]) entry.setUint32(place, WIDE, true)
  entry.setUint16(30, 36, true)
  const extra = new DataView(new ArrayBuffer(36))
  for (const [place, value] of [[0, 0x5455], [2, 4], [8, 1], [10, 24]]) extra.setUint16(place, value, true)
  numbers.forEach((value, number) => extra.setBigUint64(12 + 8 * number, BigInt(value), true))
  return extra
}

/** @param {DataView} end */
function wideEnd(end) {
  const [record, locator] = [new DataView(new ArrayBuffer(56)), new DataView(new ArrayBuffer(20))]
  const [length, start] = [12, 16].map((place) => end.getUint32(place, true))
  for (const place of [12, 16]) end.setUint32(place, WIDE, true)
  record.setUint32(0, 0x06064b50, true)
  record.setBigUint64(40, BigInt(length), true)
  record.setBigUint64(48, BigInt(start), true)
  locator.setUint32(0, 0x07064b50, true)
  locator.setBigUint64(8, BigInt(start + length), true)
  return [record, locator]
}

test("the file of everything has what is in files", async () => {
  const talks = bytes(JSON.stringify(own(talk("c", named("f1", "a b.txt"), named("f2", "long.bin")))))
  const long = new Uint8Array(20 * 1024 * 1024 + 1)
  const { contents } = await read(zip([["conversations.json", talks], ["files/f1 a b.txt", bytes("hello")], ["files/f2 long.bin", long], ["files/f3 x", bytes("x"), 99], ["files/nameless", bytes("x")]]))
  assert.deepEqual([...contents.keys()], ["f1", "f2", "f3"])
  assert.equal(contents.get("f1").name, "a b.txt")
  assert.equal(await (await contents.get("f1").read()).text(), "hello")
  assert.equal(await contents.get("f2").read(), null, "longer than a file may be")
  assert.equal(await contents.get("f3").read(), null, "packed in a way that is not known")
})

test("a zip whose numbers are those of one beyond 4 GB is read", async () => {
  const talks = bytes(JSON.stringify(own(talk("c", named("f1", "a.txt")))))
  const { contents } = await read(zip([["conversations.json", talks], ["files/f1 a.txt", bytes("hello")]], true))
  assert.equal(await (await contents.get("f1").read()).text(), "hello")
  const whole = new Uint8Array(await zip([["conversations.json", talks]], true).arrayBuffer())
  for (const gone of [42, 100]) {
    const broken = whole.slice()
    broken.fill(0, broken.length - gone, broken.length - gone + 20)
    await assert.rejects(read(new Blob([broken])), { code: "import_broken" })
  }
})

test("files are found in whatever folder their zip was packed anew", async () => {
  const talks = bytes(JSON.stringify(own(talk("c", named("f1", "a.txt")))))
  const { contents } = await read(zip([["mingchat/conversations.json", talks], ["mingchat/files/f1 a.txt", bytes("hello")], ["profiles/f2 b.txt", bytes("x")]]))
  assert.deepEqual([...contents].map(([id, { name }]) => [id, name]), [["f1", "a.txt"]])
})

test("another's export has no files of that kind", async () => {
  const claude = [{ uuid: "k", name: "", created_at: MOMENT, updated_at: MOMENT, chat_messages: [{ uuid: "1", sender: "human", text: "hi", created_at: MOMENT }] }]
  const { contents } = await read(zip([["conversations.json", bytes(JSON.stringify(claude))], ["files/f1 a.txt", bytes("hello")]]))
  assert.equal(contents.size, 0)
})

/** A server that keeps what comes; `refusals` are what it says to files by their names. @param {Record<string, [number, string]>} [refusals] @param {string[]} [known] */
function server(refusals = {}, known = []) {
  /** @type {{uploads: string[], posts: any[]}} */
  const journal = { uploads: [], posts: [] }
  globalThis.XMLHttpRequest = /** @type {any} */ (
    class {
      upload = { addEventListener() {} }
      #done = () => {}
      status = 201
      #name = ""
      open(method, path) {
        this.#name = new URLSearchParams(path.split("?")[1]).get("name") ?? ""
      }
      setRequestHeader() {}
      getResponseHeader = () => null
      addEventListener(name, act) {
        if (name === "load") this.#done = act
      }
      send(content) {
        journal.uploads.push(this.#name)
        const [status, code] = refusals[this.#name] ?? [201, ""]
        this.status = status
        this.response = JSON.stringify(code ? { error: { code, message: code } } : { id: `here-${this.#name}` })
        assert.equal(content.type, "")
        queueMicrotask(() => this.#done())
      }
    }
  )
  globalThis.fetch = async (path, { body }) => {
    const sent = JSON.parse(body)
    if (!path.endsWith("/look")) journal.posts.push(sent)
    const outcomes = sent.conversations.map(({ id }) => ({ id, outcome: known.includes(id) ? "known" : "imported" }))
    return new Response(JSON.stringify({ outcomes }), { headers: { "Content-Type": "application/json" } })
  }
  return journal
}

const content = (name, text = "words") => ({ name, read: async () => new Blob([text]) })
const found = (talks, contents) => ({ talks, folders: [], contents: new Map(Object.entries(contents)) })
const going = () => new AbortController().signal

test("what is in files comes before the conversations that name it, once", async () => {
  const journal = server()
  const all = found([talk("a", named("f", "f.txt"), named("g", "g.txt")), talk("b", named("f", "f.txt"))], { f: content("f.txt"), other: content("o.txt") })
  const sums = await send(all, () => undefined, going())
  assert.deepEqual(journal.uploads, ["f.txt"])
  assert.deepEqual(journal.posts.map(({ contents }) => contents), [{ f: "here-f.txt" }])
  assert.deepEqual([sums.imported, sums.files], [2, 0])
})

test("of conversations that are there already nothing is sent", async () => {
  const journal = server({}, ["a"])
  await send(found([talk("a", named("f", "f.txt"))], { f: content("f.txt") }), () => undefined, going())
  assert.deepEqual([journal.uploads, journal.posts[0].contents], [[], undefined])
})

test("what is refused is named alone, and where there is no room nothing more is tried", async () => {
  const journal = server({ "bad.pdf": [422, "file_unreadable"], "full.txt": [422, "file_quota_full"] })
  const names = ["bad.pdf", "good.txt", "full.txt", "late.txt"]
  const all = found([talk("a", ...names.map((name) => named(name, name)))], Object.fromEntries(names.map((name) => [name, content(name)])))
  const sums = await send(all, () => undefined, going())
  assert.deepEqual(journal.uploads, ["bad.pdf", "good.txt", "full.txt"])
  assert.deepEqual([journal.posts[0].contents, sums.files], [{ "good.txt": "here-good.txt" }, 3])
})

test("who cancels while files are sent sends no conversation after them", async () => {
  const journal = server()
  const leave = new AbortController()
  const leaving = { name: "f.txt", read: async () => (leave.abort(), new Blob(["x"])) }
  await send(found([talk("a", named("f", "f.txt"))], { f: leaving }), () => assert.fail("nothing was sent"), leave.signal)
  assert.deepEqual(journal.posts, [])
})

test("a text that cannot be a file stands in its question, as far as there is room", async () => {
  const journal = server({ "a.txt": [403, "files_off"] })
  const words = { ...content("a.txt", "what was read"), words: "what was read" }
  const sums = await send(found([talk("a", named("f", "a.txt"), named("g", "g.png"))], { f: words, g: content("g.png") }), () => undefined, going())
  const [{ conversations }] = journal.posts
  assert.equal(conversations[0].messages[0].text, "hi\n\na.txt\n\nwhat was read")
  assert.deepEqual(conversations[0].messages[0].files.map(({ name }) => name), ["g.png"])
  assert.equal(sums.files, 1, "the picture")
  assert.deepEqual(journal.uploads, ["a.txt"])
})

test("what ChatGPT puts beside its JSON is what its messages name", async () => {
  const attachments = [{ id: "file-abc", name: "board.png", size: 5, mime_type: "image/png" }]
  const message = { author: { role: "user" }, create_time: 1, content: { content_type: "text", parts: ["hi"] }, metadata: { attachments } }
  const talks = JSON.stringify([{ title: "T", create_time: 1, current_node: "q", mapping: { q: { id: "q", parent: null, message } } }])
  const { contents } = await read(zip([["conversations.json", bytes(talks)], ["file-abc-board.png", bytes("hello")], ["file-other-x.png", bytes("x")], ["user.json", bytes("{}")]]))
  assert.deepEqual([...contents.keys()], ["file-abc"])
  assert.equal(contents.get("file-abc").name, "board.png")
  assert.equal(await (await contents.get("file-abc").read()).text(), "hello")
})

test("texts for which there is no room beside the others are counted among those that did not come", async () => {
  const journal = server({ "a.txt": [403, "files_off"] })
  const long = (name) => ({ ...content(name), words: "w".repeat(1_000_000) })
  const all = found([talk("a", named("f", "a.txt")), talk("b", named("g", "b.txt"))], { f: long("a.txt"), g: long("b.txt") })
  const sums = await send(all, () => undefined, going())
  const [{ conversations }] = journal.posts
  assert.deepEqual(conversations.map(({ messages: [said] }) => [said.text.length > 1_000_000, said.files.length]), [[true, 0], [false, 1]])
  assert.equal(sums.files, 1)
})

test("of one conversation as many contents are told as the server takes", async () => {
  const journal = server()
  const names = Array.from({ length: 2_001 }, (_, number) => `${number}.txt`)
  const all = found([talk("a", ...names.map((name) => named(name, name)))], Object.fromEntries(names.map((name) => [name, content(name)])))
  const sums = await send(all, () => undefined, going())
  assert.deepEqual([journal.uploads.length, Object.keys(journal.posts[0].contents).length, sums.imported, sums.files], [2_000, 2_000, 1, 1])
})
