import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { fewEmptyCells } from "app/markdown/tables"

const parser = new MarkdownIt().use(fewEmptyCells)

/** @param {number} columns @param {string} row @param {number} rows */
const table = (columns, row, rows) => `${"|a".repeat(columns)}|\n${"|-".repeat(columns)}|\n${`${row}\n`.repeat(rows)}`
/** @param {string} text */
const cells = (text) => parser.render(text).split("<td").length - 1

test("short rows of a table are filled up to its head", () => {
  assert.equal(cells(table(100, "|x|", 20)), 2_000)
})

test("rows without end below a wide head have the cells that somebody wrote", () => {
  const page = parser.render(`${table(100, "|x||y||", 600)}\nThe end.`)
  assert.equal(page.split("<td").length - 1, 1_800)
  assert.equal(page.split("<td>x</td>\n<td></td>\n<td>y</td>\n</tr>").length - 1, 600)
  assert.match(page, /<p>The end\.<\/p>\n$/)
})

test("each table is for itself", () => {
  const small = table(3, "|x|", 1)
  assert.equal(cells(`${table(100, "|x|", 600)}\n${small}\n${small.replaceAll(/^/gm, "> ")}`), 606)
})

test("rows that are empty stay rows", () => {
  const page = parser.render(table(100, "|  |", 600))
  assert.equal(page.split("<tr>").length - 1, 601)
  assert.equal(page.split("<td").length - 1, 0)
})
