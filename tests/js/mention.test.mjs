import assert from "node:assert/strict"
import { test } from "node:test"
import { mentionIn } from "app/chat/writing.js"

globalThis.document = { getElementById: () => null, documentElement: { lang: "en", dataset: {} } }
const { fitting, wordIn } = await import("app/chat/mention.js")

/** A text area with its caret at "|". */
const written = (text) => {
  const at = text.indexOf("|")
  return { value: text.replace("|", ""), selectionStart: at, selectionEnd: at }
}

test("@ begins a word at the beginning of the text or after a blank", () => {
  assert.deepEqual(mentionIn(written("@|")), { from: 0, to: 1, words: "" })
  assert.deepEqual(mentionIn(written("ask @deep|")), { from: 4, to: 9, words: "deep" })
  assert.deepEqual(mentionIn(written("line\n＠模型| and more")), { from: 5, to: 8, words: "模型" })
  assert.deepEqual(mentionIn(written("@|请写一首诗")), { from: 0, to: 1, words: "" }, "what follows the caret is no part of it")
})

test("a mail address, a word that has ended and marked text begin none", () => {
  for (const text of ["me@example.com|", "me@|", "@deep |", "|@deep", "@@|", ""]) assert.equal(mentionIn(written(text)), null, text)
  assert.equal(mentionIn({ value: "@deep", selectionStart: 1, selectionEnd: 5 }), null)
})

const MODELS = [
  { id: "1", name: "qwen-coder", label: "Qwen Coder" },
  { id: "2", name: "deepseek-chat", label: "DeepSeek V3.1" },
  { id: "3", name: "coder-small", label: "小模型" },
]
const ids = (words) => fitting(MODELS, words).map(({ id }) => id)

test("models are found by label and name, without signs and blanks, those that begin so first", () => {
  assert.deepEqual(ids(""), ["1", "2", "3"])
  assert.deepEqual(ids("coder"), ["3", "1"])
  assert.deepEqual(ids("QwenC"), ["1"])
  assert.deepEqual(ids("deepseekv31"), ["2"])
  assert.deepEqual(ids("模型"), ["3"])
  assert.deepEqual(ids("ｄｅｅｐ"), ["2"], "as an input method writes it")
  assert.deepEqual(ids("nobody"), [])
  for (const signs of ["!", "？", "_", "🎉"]) assert.deepEqual(ids(signs), [], "signs alone are no name")
})

test("the word leaves the text with one of the blanks around it", () => {
  const without = (text) => {
    const area = written(text)
    const [from, to] = wordIn(area.value, mentionIn(area))
    return area.value.slice(0, from) + area.value.slice(to)
  }
  assert.equal(without("ask @deep| why"), "ask why")
  assert.equal(without("@deep| why"), "why")
  assert.equal(without("ask @deep|"), "ask ")
  assert.equal(without("ask\n@deep| why"), "ask\nwhy")
  assert.equal(without("@deep|请写"), "请写")
})
