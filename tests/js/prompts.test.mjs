import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { filledIn, variablesOf } from "app/prompts/prompt-text.js"
import { commandIn } from "app/chat/writing.js"

globalThis.document = { getElementById: () => null, documentElement: { lang: "en", dataset: {} } }
const { fitting } = await import("app/chat/prompt-offer.js")

/** A text area with its caret at "|". */
const written = (text) => {
  const at = text.indexOf("|")
  return { value: text.replace("|", ""), selectionStart: at, selectionEnd: at }
}

test("/ begins a command at the beginning of a line, which ends at the caret", () => {
  assert.deepEqual(commandIn(written("/|")), { from: 0, to: 1, words: "" })
  assert.deepEqual(commandIn(written("first\n／总结_2-x|")), { from: 6, to: 13, words: "总结_2-x" })
  assert.deepEqual(commandIn(written("、总|")), { from: 0, to: 2, words: "总" }, "the same key in a Chinese input method")
  assert.deepEqual(commandIn(written("/sum| and more")), { from: 0, to: 4, words: "sum" })
  assert.deepEqual(commandIn(written("/sum|\nmore")), { from: 0, to: 4, words: "sum" })
})

test("paths, fractions, comments and marked text begin none", () => {
  for (const text of ["a/b|", "1/|", " /sum|", "/etc/hosts|", "//|", "/su|m", "/sum |", "|/sum", "/a.b|", "https://|", ""]) {
    assert.equal(commandIn(written(text)), null, text)
  }
  assert.equal(commandIn({ value: "/sum", selectionStart: 1, selectionEnd: 4 }), null)
})

test("variables are found as the server finds them", () => {
  const texts = JSON.parse(readFileSync(new URL("../prompts.json", import.meta.url), "utf8"))
  for (const { text, variables } of texts) assert.deepEqual([...variablesOf(text)], variables, text)
})

test("values come into the text as they are, and nothing in them is read again", () => {
  const values = new Map([["a", "$& {{b}}"], ["b", "2"], ["__proto__", "3"]])
  assert.equal(filledIn("{{a}} {{ b : x }} {{__proto__}} {{other}} {{}}", values), "$& {{b}} 2 3 {{other}} {{}}")
  assert.equal(filledIn("{{a}}", new Map([["a", ""]])), "")
})

test("a long text is read in no time", () => {
  const began = performance.now()
  for (const text of ["{{".repeat(10_000), "{{a".repeat(6_600), `{{${"a".repeat(19_998)}`, "{{a}}".repeat(20_000)]) filledIn(text, variablesOf(text))
  assert.ok(performance.now() - began < 500)
})

const OFFERED = [
  { id: "1", command: "translate", title: "Into English", source: "own" },
  { id: "2", command: "resume", title: "A letter", source: "own" },
  { id: "3", command: "Sum", title: "Sum it up", source: "group" },
  { id: "4", command: "总结", title: "Resume", source: "site" },
]
const ids = (words) => fitting(OFFERED, words).map(({ id }) => id)

test("a command that stands whole comes first, then those that begin so, and of each kind own ones", () => {
  assert.deepEqual(ids(""), ["1", "2", "3", "4"])
  assert.deepEqual(ids("sum"), ["3", "2", "4"])
  assert.deepEqual(ids("s"), ["3", "1", "2", "4"])
  assert.deepEqual(ids("ＲＥＳ"), ["2", "4"], "as an input method writes it")
  assert.deepEqual(ids("总"), ["4"])
  assert.deepEqual(ids("nobody"), [])
  const both = [{ id: "a", command: "x", title: "Letters for the class", source: "own" }, { id: "b", command: "class", title: "", source: "site" }]
  assert.deepEqual(fitting(both, "class").map(({ id }) => id), ["b", "a"])
})
