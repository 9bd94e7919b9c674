// OpenAI's own package for Node, asking a gateway: `node openai-client.mjs PATH`, with the address and a token in
// OPENAI_BASE_URL and OPENAI_API_KEY. What it was told goes to the standard output as JSON.
import OpenAI from "openai"

const model = "deepseek-flash"
const question = { role: "user", content: "Hello." }
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } }]

const paths = {
  async chat(client) {
    const made = await client.chat.completions.create({ model, messages: [question] })
    return { content: made.choices[0].message.content, usage: made.usage, request_id: made._request_id }
  },

  async stream(client) {
    const options = { include_usage: true }
    const chunks = await client.chat.completions.create({
      model,
      messages: [question],
      stream: true,
      stream_options: options,
    })
    let content = ""
    let usage = null
    for await (const chunk of chunks) {
      content += chunk.choices[0]?.delta.content ?? ""
      usage = chunk.usage ?? usage
    }
    return { content, usage }
  },

  // The package runs the tool and asks again by itself.
  async tool(client) {
    const asked = []
    const weather = {
      type: "function",
      function: {
        name: "weather",
        parameters: { type: "object", properties: {} },
        parse: JSON.parse,
        function: (given) => {
          asked.push(given)
          return "sunny"
        },
      },
    }
    const runner = client.chat.completions.runTools({ model, messages: [question], tools: [weather] })
    return { content: await runner.finalContent(), asked }
  },

  // A message that was put together from a stream goes back as it is.
  async loop(client) {
    const stream = client.chat.completions.stream({ model, messages: [question], tools })
    const said = (await stream.finalChatCompletion()).choices[0].message
    const result = { role: "tool", tool_call_id: said.tool_calls[0].id, content: "sunny" }
    const made = await client.chat.completions.create({ model, messages: [question, said, result], tools })
    return { content: made.choices[0].message.content }
  },

  async error(client) {
    await client.chat.completions.create({ model: "gpt-0", messages: [question] })
  },

  async broken(client) {
    for await (const chunk of await client.chat.completions.create({ model, messages: [question], stream: true })) {
      void chunk
    }
  },

  async once(client) {
    await client.chat.completions.create({ model, messages: [question] }, { maxRetries: 0 })
  },

  async retry(client) {
    const asking = client.chat.completions.create({ model, messages: [question] }, { maxRetries: 5 })
    const { data, response } = await asking.withResponse()
    return { content: data.choices[0].message.content, status: response.status }
  },
}

const client = new OpenAI()
try {
  console.log(JSON.stringify(await paths[process.argv[2]](client)))
} catch (error) {
  const { name, status, code, error: body, requestID: id } = error
  const told = { class: error.constructor.name, name, status, code, request_id: id ?? body?.request_id }
  console.log(JSON.stringify({ ...told, retry_after: error.headers?.get("retry-after") }))
}
