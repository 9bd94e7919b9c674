/**
 * Copies the browser libraries from node_modules, as package-lock.json fixes them, into flask_app/static/vendor.
 *
 *   npm ci --ignore-scripts && node scripts/vendor.mjs            write the files
 *   npm ci --ignore-scripts && node scripts/vendor.mjs --check    exit 1 unless the committed files are the same
 */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..")
const PACKAGES = join(ROOT, "node_modules")
const TARGET = join(ROOT, "flask_app", "static", "vendor")

/** How a file becomes a module by itself. A universal (UMD) build believes it is in CommonJS. */
const SHAPES = {
  module: (text) => text,
  universal: (text) => `const module = { exports: {} }, exports = module.exports;\n${text}\nexport default module.exports;\n`,
  global: (name) => (text) => `${text}\nexport default ${name};\n`,
}

const MODULES = {
  "markdown-it": { source: "markdown-it/dist/browser/markdown-it.esm.min.mjs", shape: SHAPES.module },
  dompurify: { source: "dompurify/dist/purify.min.js", shape: SHAPES.universal },
  "highlight.js": { source: "@highlightjs/cdn-assets/es/highlight.min.js", shape: SHAPES.module },
  katex: { source: "katex/dist/katex.min.js", shape: SHAPES.universal },
  uplot: { source: "uplot/dist/uPlot.iife.min.js", shape: SHAPES.global("uPlot") },
}

/** Not a module: it is loaded in frames without an origin (templates/frame.html), which may not ask for modules. */
const SCRIPT = { path: "mermaid/mermaid.js", source: "@mermaid-js/tiny/dist/mermaid.tiny.js" }

const LICENCES = {
  "markdown-it": ["markdown-it", "linkify-it", "mdurl", "uc.micro", "entities", "punycode.js"],
  dompurify: ["dompurify"],
  "highlight.js": ["@highlightjs/cdn-assets"],
  katex: ["katex"],
  uplot: ["uplot"],
  mermaid: ["@mermaid-js/tiny"],
}

const wanted = collect()
if (process.argv.includes("--check")) check(wanted)
else write(wanted)

/** @returns {Map<string, Buffer>} every file that belongs under TARGET, by its path there */
function collect() {
  const files = new Map()
  const modules = {}
  for (const [name, { source, shape }] of Object.entries(MODULES)) {
    const path = `${name}/${name.replace(/\.js$/, "")}.js`
    modules[name] = path
    files.set(path, Buffer.from(shape(withoutSourceMap(read(source).toString("utf8")))))
    files.set(`${name}/LICENSE.txt`, licences(LICENCES[name]))
  }
  files.set("katex/katex.css", Buffer.from(onlyWoff2(read("katex/dist/katex.min.css").toString("utf8"))))
  for (const font of readdirSync(join(PACKAGES, "katex/dist/fonts")).filter((file) => file.endsWith(".woff2")))
    files.set(`katex/fonts/${font}`, read(`katex/dist/fonts/${font}`))
  files.set("uplot/uplot.css", read("uplot/dist/uPlot.min.css"))
  files.set(SCRIPT.path, Buffer.from(withoutSourceMap(read(SCRIPT.source).toString("utf8"))))
  files.set("mermaid/LICENSE.txt", licences(LICENCES.mermaid))
  files.set("manifest.json", manifest(modules, files))
  return files
}

/** @param {string} path inside node_modules */
function read(path) {
  return readFileSync(join(PACKAGES, path))
}

/** The maps are not vendored; a reference to one would be a request for nothing. */
function withoutSourceMap(text) {
  return text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n")
}

/** Every browser that can run the app reads woff2. */
function onlyWoff2(css) {
  return css.replace(/,url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, "")
}

/** @param {string[]} packages */
function licences(packages) {
  const texts = packages.map((name) => `${name} ${versionOf(name)}\n\n${licenceOf(name).trim()}\n`)
  return Buffer.from(texts.join(`\n${"-".repeat(72)}\n\n`))
}

function licenceOf(name) {
  const file = readdirSync(join(PACKAGES, name)).find((entry) => /^licen[sc]e/i.test(entry))
  if (!file) throw new Error(`${name} carries no licence`)
  return read(`${name}/${file}`).toString("utf8").replaceAll("\r\n", "\n")
}

/** The version on disk; one that the lock does not name is refused. */
function versionOf(name) {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"))
  const locked = lock.packages[`node_modules/${name}`]?.version
  const { version } = JSON.parse(read(`${name}/package.json`).toString("utf8"))
  if (version !== locked) throw new Error(`${name}: ${version} is installed, ${locked} is locked; run npm ci --ignore-scripts`)
  return version
}

function manifest(modules, files) {
  const digests = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => [path, sha256(bytes)])
  return Buffer.from(`${JSON.stringify({ modules, files: Object.fromEntries(digests) }, null, 2)}\n`)
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex")
}

function write(files) {
  rmSync(TARGET, { recursive: true, force: true })
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(TARGET, path)), { recursive: true })
    writeFileSync(join(TARGET, path), bytes)
  }
  console.log(`${files.size} files in ${relative(process.cwd(), TARGET)}`)
}

function check(files) {
  const present = existsSync(TARGET) ? readdirSync(TARGET, { recursive: true, withFileTypes: true }) : []
  const paths = present.filter((entry) => entry.isFile()).map((entry) => relative(TARGET, join(entry.parentPath, entry.name)))
  const wrong = [
    ...[...files.keys()].filter((path) => !paths.includes(path)).map((path) => `missing: ${path}`),
    ...paths.filter((path) => !files.has(path)).map((path) => `not from the lock: ${path}`),
    ...paths.filter((path) => files.get(path)?.equals(readFileSync(join(TARGET, path))) === false).map((path) => `differs: ${path}`),
  ]
  for (const line of wrong) console.error(line)
  if (wrong.length) process.exit(1)
  console.log(`${files.size} files are what the lock gives`)
}
