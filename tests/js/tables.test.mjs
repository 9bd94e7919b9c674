import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { fewEmptyCells } from "app/markdown/tables.js"
import { spent } from "./spent.mjs"

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

test("many tables that are small count together", () => {
  assert.equal(cells(`${table(32, "|x|", 64)}\n`.repeat(32)), 32 * 64)
  assert.equal(cells(`> ${table(32, "|x|", 32).replaceAll("\n", "\n> ")}\n\n${table(32, "|x|", 32)}`), 2 * 32 * 32)
})

test("so many tables that each is looked at once take no time to notice", () => {
  const took = spent(() => parser.render("|a|\n|-|\n\n".repeat(14_000)))
  assert.ok(took < 2000, `${took} ms`)
})

test("rows that are empty stay rows", () => {
  const page = parser.render(table(100, "|  |", 600))
  assert.equal(page.split("<tr>").length - 1, 601)
  assert.equal(page.split("<td").length - 1, 0)
})
