import assert from "node:assert/strict"
import { test } from "node:test"
import { found } from "app/imports/shapes.js"

const texts = ({ talks: [talk] }) => talk.messages.map(({ role, text }) => `${role}: ${text}`)
const AT = "2026-01-01T00:00:00Z"

test("Claude: an artifact stands in its answer, with its title, and with what has changed it since", () => {
  const use = (input, name = "artifacts") => ({ type: "tool_use", name, input })
  const message = (uuid, parent, sender, ...content) => ({ uuid, parent_message_uuid: parent, sender, text: "", content, created_at: AT })
  const file = found([
    {
      uuid: "k",
      name: "t",
      created_at: AT,
      chat_messages: [
        message("1", "0", "human", { type: "text", text: "write" }),
        message("2", "1", "assistant", { type: "text", text: "Here:" }, use({ id: "a", command: "create", title: "Spring", type: "application/vnd.ant.code", language: "python", content: "print(1)\n" }), { type: "tool_result" }, { type: "text", text: "Done." }, use({ query: "x" }, "web_search")),
        message("3", "2", "human", { type: "text", text: "change" }),
        message("4", "3", "assistant", use({ id: "a", command: "update", old_str: "1", new_str: "2" })),
        message("5", "4", "human", { type: "text", text: "in Markdown" }),
        message("6", "5", "assistant", use({ id: "b", command: "create", title: "", type: "text/markdown", content: "```\ncode\n```" })),
      ],
    },
  ])
  assert.deepEqual(texts(file), ["user: write", "assistant: Here:\n\n**Spring**\n\n```python\nprint(1)\n```\n\nDone.", "user: change", "assistant: **Spring**\n\n```python\nprint(2)\n```", "user: in Markdown", "assistant: ````markdown\n```\ncode\n```\n````"])
  assert.deepEqual(file.left, { tools: 1, pictures: 0, other: 0 })
})

test("ChatGPT: what is on the canvas stands in its answer, and a line for each picture that was made", () => {
  const node = (id, parent, role, content, more = {}) => [id, { id, parent, message: { id, author: { role }, create_time: 1732500000.5, content, recipient: "all", metadata: {}, ...more } }]
  const text = (...parts) => ({ content_type: "text", parts })
  const code = (value) => ({ content_type: "code", text: JSON.stringify(value) })
  const file = found([
    {
      title: "t",
      create_time: 1732500000.5,
      conversation_id: "c",
      mapping: Object.fromEntries([
        node("s", null, "system", text("")),
        node("i", "s", "user", text("custom"), { metadata: { is_visually_hidden_from_conversation: true } }),
        node("q", "i", "user", text("write")),
        node("call", "q", "assistant", code({ name: "poem", type: "document", content: "Spring" }), { recipient: "canmore.create_textdoc" }),
        node("tool", "call", "tool", text("Successfully created")),
        node("a", "tool", "assistant", text("There it is.")),
        node("q2", "a", "user", text("draw")),
        node("call2", "q2", "assistant", code({ prompt: "a tree" }), { recipient: "t2uay3k.sj1i4kz" }),
        node("made", "call2", "tool", { content_type: "multimodal_text", parts: [{ content_type: "image_asset_pointer", asset_pointer: "sediment://file_00aa" }] }, { metadata: { image_gen_title: "A tree" } }),
        node("q3", "made", "user", text("again")),
        node("made2", "q3", "tool", { content_type: "multimodal_text", parts: [{ content_type: "image_asset_pointer", asset_pointer: "sediment://file_00bb" }] }),
        node("q4", "made2", "user", text("change it")),
        node("call3", "q4", "assistant", code({ updates: [{ pattern: ".*", replacement: "Summer" }] }), { recipient: "canmore.update_textdoc" }),
      ]),
    },
  ])
  assert.deepEqual(texts(file), [
    "user: write",
    "assistant: **poem**\n\n```markdown\nSpring\n```\n\nThere it is.",
    "user: draw",
    "assistant: [picture: A tree]",
    "user: again",
    "assistant: [picture: file_00bb]",
    "user: change it",
    "assistant: ```\nSummer\n```",
  ])
  assert.deepEqual(file.left, { tools: 2, pictures: 2, other: 1 })
})

test("Open WebUI: calls of tools go and are counted, thoughts lose their marks", () => {
  const said = '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n&gt; one\n&gt; a &gt; b\n</details>\n<details type="tool_calls" done="true" name="search" arguments="&quot;{}&quot;" result="&quot;x&quot;">\n<summary>Tool Executed</summary>\n</details>\nHello'
  const messages = { q: { id: "q", parentId: null, role: "user", content: "hi" }, a: { id: "a", parentId: "q", role: "assistant", content: said } }
  const file = found([{ id: "o", title: "t", created_at: 1732500000, chat: { history: { messages } } }])
  assert.deepEqual(texts(file), ["user: hi", "assistant: Hello"])
  assert.equal(file.talks[0].messages[1].reasoning, "one\na > b")
  assert.equal(file.left.tools, 1)
})

test("DeepSeek and LibreChat: what is no part of the talk is counted", () => {
  const fragments = [{ type: "SEARCH", content: "x" }, { type: "RESPONSE", content: "yes" }]
  const mapping = { 1: { id: "1", parent: null, message: { inserted_at: AT, fragments: [{ type: "REQUEST", content: "hi" }] } }, 2: { id: "2", parent: "1", message: { inserted_at: AT, fragments } } }
  assert.equal(found([{ id: "d", title: "t", inserted_at: AT, mapping }]).left.tools, 1)
  const content = [{ type: "text", text: "yes" }, { type: "tool_call", tool_call: {} }]
  const messages = [{ messageId: "1", isCreatedByUser: true, text: "hi", createdAt: AT }, { messageId: "2", parentMessageId: "1", isCreatedByUser: false, content, createdAt: AT }]
  assert.equal(found({ conversationId: "l", title: "t", messages }).left.tools, 1)
})
