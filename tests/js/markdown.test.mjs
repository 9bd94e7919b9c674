import assert from "node:assert/strict"
import { test } from "node:test"
import MarkdownIt from "markdown-it"
import { lineBreaks } from "app/markdown/breaks.js"
import { breakCjkEmphasis } from "app/markdown/emphasis.js"
import { formulas } from "app/markdown/formulas.js"
import { bareLinks } from "app/markdown/links.js"
import { plainRenderers } from "app/markdown/renderers.js"
import { spent } from "./spent.mjs"

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true })
parser.use(bareLinks).use(lineBreaks).use(breakCjkEmphasis).use(formulas).use(plainRenderers)
const inline = (text) => parser.renderInline(text)

test("emphasis closes after Chinese punctuation", () => {
  assert.equal(inline("**你好。**世界"), "<strong>你好。</strong>世界")
  assert.equal(inline("这是**“重点”**吗"), "这是<strong>“重点”</strong>吗")
  assert.equal(inline("用**`代码`**来"), "用<strong><code>代码</code></strong>来")
  assert.equal(inline("**(注)**后"), "<strong>(注)</strong>后")
})

test("emphasis in Latin text stays as CommonMark has it", () => {
  assert.equal(inline("a * b * c, 2*3*4, snake_case_name"), "a * b * c, 2<em>3</em>4, snake_case_name")
  assert.equal(inline('**"a"**b'), '**&quot;a&quot;**b')
})

test("formulas are found between all four pairs", () => {
  for (const text of ["$x^2$", "\\(x^2\\)", "\\[x^2\\]", "$$x^2$$"]) assert.match(inline(text), /class="formula" data-tex="x\^2"/, text)
})

test("money is no formula", () => {
  for (const text of ["$5 and $6", "costs $5", "$ x $", "a$5b $10"]) assert.doesNotMatch(inline(text), /formula/, text)
  assert.match(inline("$5x$ apples"), /data-tex="5x"/)
  assert.match(inline("价格 \\$5,$a$"), /^价格 \$5,<span class="formula" data-tex="a"/)
})

test("formulas that begin and do not end are read once, not from each beginning", () => {
  for (const text of ["\\(", "\\[", "\\(a", "$$a ", "$a ", "\\[a\n", "\\[\n", "$$a\n", "$$\n", "- \\[a\n", "> \\[a\n"]) {
    const took = spent(() => parser.render(text.repeat(100_000 / text.length)))
    assert.ok(took < 3000, `${JSON.stringify(text)}: ${took} ms`)
  }
})

test("a formula after one that does not end is found", () => {
  assert.match(inline("\\(a \\[b\\] c"), /^\(a <span class="formula" data-tex="b"/)
  assert.match(inline("\\[a \\(b \\(c\\) d"), /data-tex="b \\\(c"/)
  const page = parser.render("\\[a\n\nwords\n\n\\[b\n\\]\n\n\\[c")
  assert.match(page, /data-tex="a\n\nwords\n\n\\\[b"/)
  assert.match(parser.render("$$a\nb $$ c\n\n$$d\n$$"), /data-tex="d"/)
})

test("code keeps its dollars", () => {
  assert.equal(inline("`$x$`"), "<code>$x$</code>")
})

test("TeX cannot leave its attribute", () => {
  assert.match(inline('$"><img src=x onerror=alert(1)>$'), /data-tex="&quot;&gt;&lt;img/)
})

test("a line stays a line, and <br> makes one, in a cell too", () => {
  assert.equal(inline("床前明月光，\n疑是地上霜。"), "床前明月光，<br>\n疑是地上霜。")
  for (const sign of ["<br>", "<br/>", "<br />", "<BR>", "<br>\n", "<br> \n"]) assert.equal(inline(`a${sign}b`), "a<br>\nb", sign)
  assert.equal(inline("见https://a.com/b<br>了解"), '见<a href="https://a.com/b">https://a.com/b</a><br>\n了解')
  assert.equal(inline("**a<br>b**<br>**c**"), "<strong>a<br>\nb</strong><br>\n<strong>c</strong>")
  assert.match(parser.render("| a |\n|---|\n| 一<br>二 |"), /<td>一<br>\n二<\/td>/)
  assert.equal(parser.render("<br>"), "<p><br>\n</p>\n")
})

test("nothing else of the kind is a break, nor one in code, in a formula or with its sign escaped", () => {
  for (const text of ["<br", "<brx>", "<br x>", '<br onclick="x">', "</br>", "< br>", "\\<br>", "`<br>`", "$<br>$", "<hr>", "<br//>"]) {
    assert.doesNotMatch(inline(text), /<br|<hr/, text)
  }
  assert.doesNotMatch(parser.render("```\na<br>b\n```"), /<br/)
})

test("breaks that begin and do not end are read once", () => {
  for (const text of ["<br", "<br ", "<", "<br>", "<br>\n", "<br \t"]) {
    const took = spent(() => parser.render(text.repeat(100_000 / text.length)))
    assert.ok(took < 3000, `${JSON.stringify(text)}: ${took} ms`)
  }
})

test("raw HTML is text", () => {
  const page = parser.render('<script>alert(1)</script>\n\n<svg onload="x"/>\n\na <b onclick="x">b</b>')
  assert.doesNotMatch(page, /<(?:script|svg|b)\b/)
})

test("links lead to http, https and mail only", () => {
  assert.match(inline("[a](https://example.com)"), /href="https:\/\/example.com"/)
  assert.match(inline("[a](mailto:a@example.com)"), /href="mailto:/)
  for (const url of ["javascript:alert(1)", "data:text/html,x", "/logout", "vbscript:x", "//example.com", "file:///etc", "&#106;avascript:x"]) {
    assert.doesNotMatch(inline(`[a](${url})`), /<a /, url)
  }
})

test("a bare link ends where Chinese begins", () => {
  const linked = (text) => [...inline(text).matchAll(/<a href="([^"]*)"/g)].map(([, address]) => address)
  assert.deepEqual(linked("请访问https://www.deepseek.com了解详情"), ["https://www.deepseek.com"])
  assert.deepEqual(linked("见https://a.com/b了解，或http://c.cn/d?e=f。"), ["https://a.com/b", "http://c.cn/d?e=f"])
  assert.deepEqual(linked("https://a.com/b，然后"), ["https://a.com/b"])
  assert.deepEqual(linked("https://zh.wikipedia.org/wiki/%E6%98%8E 是"), ["https://zh.wikipedia.org/wiki/%E6%98%8E"])
  assert.deepEqual(linked("(https://a.com/b) and https://c.com/d."), ["https://a.com/b", "https://c.com/d"])
  assert.deepEqual(linked("www.a.com a@b.com //c.com"), [])
  assert.match(inline("https://a.com了解"), /<\/a>了解$/)
})

test("a picture from elsewhere is a placeholder, by reference too", () => {
  const page = parser.render("![a \"quote\"](https://example.com/a.png) ![b][r]\n\n[r]: https://example.com/b.png")
  assert.doesNotMatch(page, /<img/)
  assert.match(page, /data-source="https:\/\/example.com\/a.png" data-alt="a &quot;quote&quot;"/)
  assert.match(page, /data-source="https:\/\/example.com\/b.png"/)
  assert.doesNotMatch(parser.render("![x](data:image/svg+xml;base64,AAAA)"), /<img/)
})

test("no style attribute is made, headings stay below the page's own", () => {
  const page = parser.render("# one\n\n###### six\n\n| a |\n|--:|\n| 1 |")
  assert.doesNotMatch(page, /style=/)
  assert.match(page, /<h3>one<\/h3>\s*<h6>six<\/h6>/)
  assert.match(page, /<th class="is-right">/)
})

test("a language name cannot leave its attribute", () => {
  assert.doesNotMatch(parser.render('```js"><script>\nx\n```'), /<script/)
})
