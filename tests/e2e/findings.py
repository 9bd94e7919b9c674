"""What of a hostile answer has become dangerous in a page: looked for as it stands, and case by case."""

# What in an answer could run, load or reach for something, whatever the page's policy would say to it.
FINDINGS = """
answer => {
  const FORBIDDEN = /^(script|style|iframe|object|embed|link|meta|base|form|input|foreignobject|template|use|animate)$/
  const ADDRESS = /^(href|src|srcset|action|formaction|xlink:href|data|poster|background|ping)$/
  const PICTURE = /^data:image\\/(png|gif|jpeg|webp);base64,/
  const found = []
  for (const element of answer.querySelectorAll("*")) {
    const { localName, attributes, outerHTML } = element
    const isLink = localName === "a"
    const allowed = isLink ? /^(https?|mailto):/i : localName === "img" ? PICTURE : /^$/
    const faults = [
      FORBIDDEN.test(localName),
      isLink && element.hasAttribute("href") && !(element.target === "_blank" && element.relList.contains("noopener")),
      ...[...attributes].flatMap(({ name, value }) => [
        /^on|^id$|^name$/.test(name),
        ADDRESS.test(name) && !allowed.test(value),
        name === "style" && /url\\(|fixed|expression|direction|bidi/i.test(value),
        name === "dir" && !/^(auto|ltr)$/.test(value),
      ]),
    ]
    if (faults.some(Boolean)) found.push(outerHTML.slice(0, 120))
  }
  return found
}
"""

# Each case by the page's own modules: as stored, as it grows, or as raw HTML straight to the sanitizer.
_TRY_CASES = f"""
async ([json, way, pieces]) => {{
  const look = {FINDINGS}
  const {{ GrowingText, showText }} = await import("app/chat/growing-text.js")
  const {{ sanitize }} = await import("app/markdown.js")
  const prose = document.querySelector('.message--answer .prose[data-slot="text"]')
  const turn = () => new Promise((resolve) => setTimeout(resolve))
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
  const isSet = (formula) => formula.querySelector(".katex") || formula.matches(".formula--source")
  const settled = async () => {{
    await turn()
    while (![...prose.querySelectorAll(".formula")].every(isSet)) await turn()
    await turn()
  }}
  const outside = () => {{
    const {{ left, top, right, bottom }} = prose.getBoundingClientRect()
    const over = []
    for (let x = 4; x < innerWidth; x += 97) for (let y = 4; y < innerHeight; y += 97) {{
      const isInside = x >= left - 17 && x <= right + 17 && y >= top - 17 && y <= bottom + 17
      if (!isInside && prose.contains(document.elementFromPoint(x, y))) over.push(`covers ${{x}}, ${{y}}`)
    }}
    return over.slice(0, 3)
  }}
  const state = () => {{
    const {{ title, activeElement, documentElement, body, head }} = document
    const counts = [innerWidth, documentElement.scrollWidth, body.childElementCount, head.childElementCount]
    return [location.href, history.length, title, activeElement.tagName, ...counts].join()
  }}
  const ways = {{
    stored: async (text) => showText(prose, text),
    growing: async (text) => {{
      const growing = new GrowingText(prose)
      const step = Math.ceil(text.length / pieces) || 1
      for (let at = 0; at < text.length; at += step) {{
        growing.push(text.slice(at, at + step))
        await frame()
      }}
      growing.end()
    }},
    raw: async (text) => {{
      prose.replaceChildren(sanitize(text))
      const again = document.createElement("template")
      again.innerHTML = prose.innerHTML
      const found = look(again.content)
      if (found.length) throw new Error(`parsed again: ${{found}}`)
    }},
  }}
  let stopped = []
  document.addEventListener("securitypolicyviolation", (event) => stopped.push(`broke ${{event.effectiveDirective}}`))
  showText(prose, "word ".repeat(4000)) // how fast this machine is just now
  const begun = performance.now()
  for (let times = 0; times < 5; times++) {{
    showText(prose, "word ".repeat(4000))
    prose.getBoundingClientRect()
  }}
  const plain = performance.now() - begun
  const results = []
  let [silent, last] = [0, 0]
  const ticking = setInterval(() => {{
    silent = Math.max(silent, performance.now() - last)
    last = performance.now()
  }}, 20)
  const names = new Set(Object.getOwnPropertyNames(window))
  const before = state()
  for (const [name, text] of Object.entries(JSON.parse(json))) {{
    const faults = []
    const begun = performance.now()
    ;[silent, last] = [0, begun]
    await ways[way](text).catch((error) => faults.push(String(error)))
    await settled()
    prose.getBoundingClientRect() // it is laid out
    const took = performance.now() - begun
    silent = Math.max(silent, performance.now() - last)
    faults.push(...look(prose), ...(way === "raw" ? [] : outside()))
    const added = Object.getOwnPropertyNames(window).filter((each) => !names.has(each))
    if (added.length) faults.push(`made ${{added}}`)
    if (state() !== before) faults.push(`changed ${{before}} to ${{state()}}`)
    if (way !== "raw") faults.push(...stopped)
    stopped = []
    results.push({{ name, faults, took, silent }})
  }}
  prose.replaceChildren()
  clearInterval(ticking)
  return [plain, results]
}}
"""

TOLD = "all cases have been tried"

# The same, begun: it is told when all have been tried, for whoever does not wait for ever, and what came of it is left.
TRY_CASES = f"""
given => {{
  const tell = (found) => {{
    window.tried = found
    console.debug("{TOLD}")
  }}
  window.tried = null
  ;({_TRY_CASES.strip()})(given).then(tell, (error) => tell(String(error)))
}}
"""
