// @ts-check
/** A file as it was chosen: JSON, or a zip in which conversations.json is. Nothing is unpacked beyond a limit. */
import { belongingsIn, kindOf } from "app/imports/belongings.js"
import { allLeft } from "app/imports/left-out.js"
import { MOST_CONVERSATIONS, OWN, TOO_MANY, UNKNOWN, Unreadable, found } from "app/imports/shapes.js"

export const MOST_BYTES = 400 * 1024 * 1024 // of JSON, unpacked: about the longest text that browsers hold
const TOO_LONG = "import_too_long"
const BROKEN = "import_broken"
const NONE = "import_nothing_inside"
const END_LENGTH = 22 // of the record at a zip's end, without its comment
const MOST_COMMENT = 65_535
const END = 0x06054b50
const ENTRY = 0x02014b50
const WIDE_END = 0x06064b50 // of what is longer than 4 GB, or says so
const WIDE_PLACE = 0x07064b50
const WIDE_END_LENGTH = 56
const WIDE_PLACE_LENGTH = 20
const WIDE = 0xffffffff // the number stands elsewhere
const WIDE_FIELD = 1
const ENTRY_LENGTH = 46
const LOCAL_LENGTH = 30
const STORED = 0
const DEFLATED = 8
const WANTED = /(^|\/)(conversations(-\d+)?|chat-export-\d+)\.json$/i
const SINGLE = /^(?!__MACOSX\/)(.*\/)?[^/.][^/]*\.json$/i
const FIRST = [0x50, 0x4b]
const OWN_FILE = /(?:^|\/)files\/(\S{1,64}) (.+)$/ // in the file of everything of one's own, in whatever folder: behind its id
const THEIR_FILE = /(?:^|\/)(file[-_][A-Za-z0-9]+)[^/]*$/
const MOST_OF_ONE = 20 * 1024 * 1024

/** @typedef {{name: string, method: number, packed: number, size: number, at: number}} Entry */
/** @typedef {import("app/imports/shapes.js").Found} Found */

/** What is in all of these; one that cannot be read is named among them. Throws Unreadable where none can. @param {File[]} files @param {number} [most] bytes @returns {Promise<Found>} */
export async function readAll(files, most = MOST_BYTES) {
  /** @type {Found[]} */
  const all = []
  /** @type {{name: string, error: Unreadable}[]} */
  const unread = []
  let left = most
  for (const file of files) {
    try {
      all.push(await read(file, left, (length) => (left -= length)))
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      unread.push({ name: file.name, error })
    }
  }
  if (all.length === 0 && unread[0]) throw unread[0].error
  return { ...together(all), unread: unread.map(({ name: title, error: { code } }) => ({ title, code })) }
}

/** Throws Unreadable. @param {Blob} file @param {number} [most] bytes @param {(length: number) => void} [spend] those that it takes @returns {Promise<Found>} */
export async function read(file, most = MOST_BYTES, spend = () => {}) {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer())
  if (!FIRST.every((byte, place) => head[place] === byte)) return found(await jsonOf(file.stream(), most, spend))
  const inside = await entriesOf(file)
  let left = most
  const take = (/** @type {number} */ length) => {
    left -= length
    spend(length)
  }
  const all = await foundIn(file, inside, most, take)
  const whole = together(all)
  const own = all.some(({ source }) => source === OWN)
  const contents = new Map([...whole.contents, ...(own ? ownFiles(file, inside) : theirFiles(file, inside, all))])
  return { ...whole, contents, belongings: own ? await belongingsOf(file, inside, left, spend) : [] }
}

/** The exports in a zip: as theirs are called, or else each that is one. @param {Blob} file @param {Entry[]} inside @param {number} most @param {(length: number) => void} spend */
async function foundIn(file, inside, most, spend) {
  const wanted = inside.filter(({ name }) => WANTED.test(name))
  const entries = wanted.length ? wanted : inside.filter(({ name }) => SINGLE.test(name))
  /** @type {Found[]} */
  const all = []
  let left = most
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    try {
      const json = await jsonOf(await unpacked(file, entry), left, (length) => {
        left -= length
        spend(length)
      })
      all.push(found(json))
    } catch (error) {
      if (wanted.length || !(error instanceof Unreadable) || ![UNKNOWN, BROKEN].includes(error.code)) throw error
    }
  }
  if (all.length === 0) throw new Unreadable(NONE)
  return all
}

/** Prompts and assistants beside conversations of our own. @param {Blob} file @param {Entry[]} inside @param {number} most @param {(length: number) => void} spend */
async function belongingsOf(file, inside, most, spend) {
  /** @type {import("app/imports/belongings.js").Belonging[]} */
  const all = []
  let left = most
  for (const entry of inside) {
    const kind = kindOf(entry.name)
    if (!kind) continue
    const words = await wordsOf(await unpacked(file, entry), left, (length) => {
      left -= length
      spend(length)
    })
    all.push(...belongingsIn(kind, words))
  }
  return all
}

/** @param {Found[]} all @returns {Found} */
function together(all) {
  const talks = all.flatMap((each) => each.talks)
  if (talks.length > MOST_CONVERSATIONS) throw new Unreadable(TOO_MANY, { limit: MOST_CONVERSATIONS })
  return {
    source: [...new Set(all.map(({ source }) => source))].join(", "),
    folders: all.flatMap(({ folders }) => folders),
    talks,
    empty: all.reduce((sum, { empty }) => sum + empty, 0),
    left: allLeft(all.map(({ left }) => left)),
    contents: new Map(all.flatMap(({ contents }) => [...contents])),
    unread: [],
    belongings: all.flatMap(({ belongings = [] }) => belongings),
  }
}

/** @param {Blob} file @param {Entry[]} entries @returns {[string, import("app/imports/contents.js").Content][]} */
function ownFiles(file, entries) {
  return entries.flatMap((entry) => {
    const [, id, name] = OWN_FILE.exec(entry.name) ?? []
    return id && name ? [[id, { name, read: () => contentOf(file, entry) }]] : []
  })
}

/** ChatGPT puts what was sent along beside its JSON, behind its id. @param {Blob} file @param {Entry[]} entries @param {Found[]} all @returns {[string, import("app/imports/contents.js").Content][]} */
function theirFiles(file, entries, all) {
  const named = new Map(all.flatMap(({ talks }) => talks.flatMap(({ messages }) => messages.flatMap(({ files }) => (files ?? []).map(({ id, name }) => [id, name])))))
  return entries.flatMap((entry) => {
    const [, id] = THEIR_FILE.exec(entry.name) ?? []
    const name = id && named.get(id)
    return id && name ? [[id, { name: name === id ? entry.name.replace(/^.*\//, "") : name, read: () => contentOf(file, entry) }]] : []
  })
}

/** Null for what is broken, or longer than a file may be, whatever its zip says. @param {Blob} file @param {Entry} entry */
async function contentOf(file, entry) {
  let length = 0
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = []
  try {
    const reader = (await unpacked(file, entry)).getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.length
      if (length > MOST_OF_ONE) return reader.cancel().then(() => null)
      pieces.push(/** @type {Uint8Array<ArrayBuffer>} */ (piece.value))
    }
  } catch {
    return null
  }
  return new Blob(pieces)
}

/** @param {ReadableStream<Uint8Array>} stream @param {number} most @param {(length: number) => void} [tell] how long it was */
async function jsonOf(stream, most, tell) {
  const text = await wordsOf(stream, most, tell)
  try {
    return JSON.parse(text)
  } catch {
    throw new Unreadable(BROKEN)
  }
}

/** @param {ReadableStream<Uint8Array>} stream @param {number} most @param {(length: number) => void} [tell] how long it was */
async function wordsOf(stream, most, tell = () => {}) {
  const words = new TextDecoder("utf-8", { fatal: true })
  const reader = stream.getReader()
  let text = ""
  let length = 0
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.length
      if (length > most) throw new Unreadable(TOO_LONG, { megabytes: Math.floor(most / 1024 / 1024) })
      text += words.decode(piece.value, { stream: true })
    }
    text += words.decode()
    tell(length)
    return text
  } catch (error) {
    reader.cancel().catch(() => undefined)
    throw error instanceof Unreadable ? error : new Unreadable(BROKEN)
  }
}

/** What a zip's own list says is in it. @param {Blob} file @returns {Promise<Entry[]>} */
async function entriesOf(file) {
  const tail = new DataView(await file.slice(-(WIDE_PLACE_LENGTH + END_LENGTH + MOST_COMMENT)).arrayBuffer())
  let end = tail.byteLength - END_LENGTH
  while (end >= 0 && tail.getUint32(end, true) !== END) end--
  if (end < 0) throw new Unreadable(BROKEN)
  const { start, length } = await listOf(file, tail, end)
  const list = new DataView(await file.slice(start, start + length).arrayBuffer())
  const names = new TextDecoder()
  /** @type {Entry[]} */
  const entries = []
  for (let at = 0; at + ENTRY_LENGTH <= list.byteLength && list.getUint32(at, true) === ENTRY; ) {
    const [name, extra, comment] = [28, 30, 32].map((place) => list.getUint16(at + place, true))
    const behind = at + ENTRY_LENGTH + (name ?? 0)
    entries.push({
      name: names.decode(new Uint8Array(list.buffer, at + ENTRY_LENGTH, Math.min(name ?? 0, list.byteLength - at - ENTRY_LENGTH))),
      method: list.getUint16(at + 10, true),
      ...placeOf(list, at, behind, Math.min(behind + (extra ?? 0), list.byteLength)),
    })
    at = behind + (extra ?? 0) + (comment ?? 0)
  }
  return entries
}

/** Where that list is. @param {Blob} file @param {DataView} tail @param {number} end of the record in it */
async function listOf(file, tail, end) {
  const [length, start] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)]
  if (length !== WIDE && start !== WIDE) return { start, length }
  const place = end - WIDE_PLACE_LENGTH
  if (place < 0 || tail.getUint32(place, true) !== WIDE_PLACE) throw new Unreadable(BROKEN)
  const at = Number(tail.getBigUint64(place + 8, true))
  const wide = new DataView(await file.slice(at, at + WIDE_END_LENGTH).arrayBuffer())
  if (wide.byteLength < WIDE_END_LENGTH || wide.getUint32(0, true) !== WIDE_END) throw new Unreadable(BROKEN)
  return { start: Number(wide.getBigUint64(48, true)), length: Number(wide.getBigUint64(40, true)) }
}

/** How long an entry's content is, and where: numbers that are too long stand in a field behind its name. @param {DataView} list @param {number} entry @param {number} from @param {number} to */
function placeOf(list, entry, from, to) {
  const short = { size: list.getUint32(entry + 24, true), packed: list.getUint32(entry + 20, true), at: list.getUint32(entry + 42, true) }
  let [place, end] = [from, from]
  while (place + 4 <= to) {
    end = place + 4 + list.getUint16(place + 2, true)
    const isWide = list.getUint16(place, true) === WIDE_FIELD
    place = isWide ? place + 4 : end
    if (isWide) break
  }
  const number = (/** @type {number} */ told) => {
    if (told !== WIDE || place + 8 > Math.min(end, to)) return told
    place += 8
    return Number(list.getBigUint64(place - 8, true))
  }
  return { size: number(short.size), packed: number(short.packed), at: number(short.at) }
}

/** @param {Blob} file @param {Entry} entry @returns {Promise<ReadableStream<Uint8Array>>} */
async function unpacked(file, { method, packed, at }) {
  const head = new DataView(await file.slice(at, at + LOCAL_LENGTH).arrayBuffer())
  if (head.byteLength < LOCAL_LENGTH) throw new Unreadable(BROKEN)
  const start = at + LOCAL_LENGTH + head.getUint16(26, true) + head.getUint16(28, true)
  const content = file.slice(start, start + packed).stream()
  if (method === STORED) return content
  if (method === DEFLATED) return content.pipeThrough(/** @type {any} */ (new DecompressionStream("deflate-raw")))
  throw new Unreadable(BROKEN)
}
