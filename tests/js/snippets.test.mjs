import assert from "node:assert/strict"
import { test } from "node:test"
import { withoutSigns } from "app/sidebar/snippets.js"

const hit = (snippet, ...marks) => ({ message_id: "m", snippet, marks })
const marked = ({ snippet, marks }) => marks.map(([from, to]) => [...snippet].slice(from, to).join(""))

test("a hit reads as the answer does", () => {
  const text = "## Part 1 Some **weight** and `code`, *slanted*, [a link](https://a.b/c_d) ![a picture](x.png) ~~gone~~ ```python"
  assert.equal(withoutSigns(hit(text)).snippet.trim(), "Part 1 Some weight and code, slanted, a link a picture gone")
  assert.equal(withoutSigns(hit("| a | b | |---|:--:| | 1 | 2 |")).snippet.replace(/\s+/g, " ").trim(), "a b 1 2")
})

test("what is no sign stays", () => {
  for (const text of ["2 * 3 * 4", "C# and F#", "snake_case_name", "a || b", "[1] said so", "x -- y"]) {
    assert.equal(withoutSigns(hit(text)).snippet, text)
  }
})

test("the marks stay on their words, and what is marked stays whole", () => {
  const text = "😀 **bold** `needle` and **needle**"
  const at = [...text].join("\u0000").split("\u0000").join("")
  const places = [[12, 18], [26, 32]]
  assert.deepEqual(marked(hit(text, ...places)), ["needle", "needle"])
  const shown = withoutSigns(hit(text, ...places))
  assert.equal(shown.snippet, "😀 bold needle and needle")
  assert.deepEqual(marked(shown), ["needle", "needle"])
  assert.deepEqual(marked(withoutSigns(hit("a **b**", [2, 4]))), ["**"])
})

test("a title is no Markdown", () => {
  assert.equal(withoutSigns({ message_id: null, snippet: "**title**", marks: [] }).snippet, "**title**")
})
