/** In a frame without an origin, a cookie or a connection: draws the diagram that the page names, and says how large it is. */
addEventListener("message", async ({ data: { text, dark }, source }) => {
  if (source !== parent) return
  const root = document.documentElement
  root.dataset.scheme = dark ? "dark" : "light"
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    theme: dark ? "dark" : "default",
    fontFamily: "system-ui, sans-serif",
  })
  try {
    const { svg } = await mermaid.render("diagram", text)
    document.body.innerHTML = svg
    for (const link of document.querySelectorAll("a")) for (const name of ["href", "xlink:href", "target"]) link.removeAttribute(name)
    const { width, height } = document.querySelector("svg").viewBox.baseVal
    parent.postMessage({ width, height }, "*")
  } catch {
    parent.postMessage({ failed: true }, "*")
  }
})
