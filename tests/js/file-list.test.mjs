import assert from "node:assert/strict"
import { test } from "node:test"

const WORDS = { "js.files.page": "{count} page", "js.files.pages": "{count} pages", "js.files.told_search": "Passages", "js.files.told_pages": "Pages {pages}", "js.files.told_of": "{how} of {whole}", "js.files.found_late": "too late" }
globalThis.document = { getElementById: () => ({ textContent: JSON.stringify(WORDS) }), documentElement: { dataset: {}, lang: "en" }, querySelector: () => null }
const { aboutWords, addressOf, endingOf, sentWords, sizeWords } = await import("app/chat/file-list.js")

test("a size is told in the unit that suits it", () => {
  const told = [0, 999, 1_000, 345_678, 999_999, 1_000_000, 1_250_000, 19_900_000].map(sizeWords)
  assert.deepEqual(told, ["0 B", "999 B", "1 kB", "346 kB", "1,000 kB", "1 MB", "1.3 MB", "20 MB"])
})

test("what cannot be seen is named by its ending", () => {
  const names = ["report.pdf", "Bericht.final.DOCX", "README", "notes.markdown", ".env", "名单.xlsx"]
  assert.deepEqual(names.map(endingOf), ["PDF", "DOCX", "", "", "ENV", "XLSX"])
})

test("pages are told where they are known", () => {
  assert.equal(aboutWords({ bytes: 5_000, pages: null }), "5 kB")
  assert.equal(aboutWords({ bytes: 5_000, pages: 1 }), "1 page · 5 kB")
  assert.equal(aboutWords({ bytes: 5_000, pages: 12 }), "12 pages · 5 kB")
})

test("an id cannot lead elsewhere", () => {
  assert.equal(addressOf("a/../b"), "/api/files/a%2F..%2Fb")
})

test("of what was searched is told how much there is", () => {
  assert.equal(sentWords({ told: "search", tokens: 8_000, whole_tokens: 292_575 }), "Passages of 292,575")
  assert.deepEqual([sentWords({ told: "search", tokens: 70, whole_tokens: 70 }), sentWords({ told: "search" })], ["Passages", "Passages"])
  assert.equal(sentWords({ told: "search", tokens: 8_000, whole_tokens: 292_575, found_by: "late" }), "Passages of 292,575 · too late")
  assert.equal(sentWords({ told: "search", tokens: 70, whole_tokens: 70, found_by: "late" }), "Passages · too late")
  assert.equal(sentWords({ told: "pages", told_pages: "2-3", tokens: 9, whole_tokens: 99 }), "Pages 2-3")
})
