/** In a frame without an origin, a cookie or a connection: draws the diagram that the page names, and says how large it is. */
addEventListener("message", async ({ data: { text, dark, colours }, source }) => {
  if (source !== parent) return
  const root = document.documentElement
  root.dataset.scheme = dark ? "dark" : "light"
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    theme: "base",
    themeVariables: variablesOf(colours, dark),
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

/** The page's colours under Mermaid's names; what is not named here it makes of these. */
function variablesOf(colours, dark) {
  const { surface, sunken, text, muted, line, accent } = colours
  return {
    darkMode: dark,
    useGradient: false,
    dropShadow: "none",
    background: sunken,
    primaryColor: colours["accent-soft"],
    primaryBorderColor: accent,
    primaryTextColor: text,
    secondaryColor: colours["warn-soft"],
    secondaryBorderColor: colours.warn,
    secondaryTextColor: text,
    tertiaryColor: surface,
    tertiaryBorderColor: line,
    tertiaryTextColor: text,
    lineColor: muted,
    textColor: text,
    titleColor: text,
    edgeLabelBackground: sunken,
    clusterBkg: surface,
    clusterBorder: line,
    noteBkgColor: colours["warn-soft"],
    noteBorderColor: colours.warn,
    noteTextColor: text,
    errorBkgColor: colours["danger-soft"],
    errorTextColor: text,
    ...chartsOf(colours, dark),
  }
}

function chartsOf(colours, dark) {
  const series = [colours["chart-1"], colours["chart-2"], colours["chart-3"], colours.muted]
  const pie = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`pie${at + 1}`, series[at % series.length]]))
  return {
    pieTitleTextColor: colours.text,
    pieLegendTextColor: colours.text,
    pieSectionTextColor: dark ? colours["on-accent"] : colours.text,
    pieStrokeColor: colours.surface,
    pieOuterStrokeColor: colours.line,
    ...pie,
    xyChart: { plotColorPalette: series.join(","), backgroundColor: colours.sunken },
  }
}
