import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { formulas } from "app/markdown/formulas.js"

/** Markdown, and the formulas in it, which the exported page finds too. @type {[string, string[]][]} */
const CASES = JSON.parse(readFileSync(new URL("../formulas.json", import.meta.url), "utf8"))
const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(formulas)

/** @param {string} written */
const within = (written) => written.slice(...(written.startsWith("$") && !written.startsWith("$$") ? [1, -1] : [2, -2])).trim()

/** @param {import("markdown-it").Token[]} tokens @returns {string[]} */
const found = (tokens) =>
  tokens.flatMap(({ type, content, children }) => (type.startsWith("formula") ? [content] : found(children ?? [])))

for (const [text, written] of CASES) {
  test(`formulas of ${JSON.stringify(text)}`, () => {
    assert.deepEqual(found(parser.parse(text, {})), written.map(within))
  })
}
