// @ts-check
/**
 * Lighthouse on a phone over pages of a running server: `node scripts/lighthouse.mjs ADDRESS COOKIE PATH…`.
 * COOKIE ("name=value") signs in; a PATH that begins with ! is read signed out. Fails below LEAST anywhere, but for the
 * performance of a PATH that ends with @N, which may be N, and where a page leads elsewhere.
 */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import lighthouse from "lighthouse"

const LEAST = 95
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]
/** That search engines may keep the page. They may not: every reply says `noindex`, as a private site wants. */
const SKIPPED = ["is-crawlable"]
const CHROMIUM = process.env.CHROME_PATH ?? "/usr/bin/chromium"
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--ignore-certificate-errors"]

const [address = "", cookie = "", ...paths] = process.argv.slice(2)
console.log(address)
const results = []
for (const path of paths) results.push(await visited(path))
process.exitCode = results.every(Boolean) ? 0 : 1

/** By a browser that has never been there: what an earlier page had it keep (cookies, the service worker) is not sent along.
 * @param {string} path @returns {Promise<boolean>} */
async function visited(path) {
  const profile = await mkdtemp(join(tmpdir(), "lighthouse-"))
  const browser = spawn(CHROMIUM, [...FLAGS, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] })
  try {
    return await judge(path, await debuggingPort(browser))
  } finally {
    browser.kill()
    await pause(500)
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** @param {string} asked @param {number} port @returns {Promise<boolean>} whether every category reaches what is asked of it */
async function judge(asked, port) {
  const [path = "", least = LEAST] = asked.split("@")
  const signedOut = path.startsWith("!")
  const extraHeaders = signedOut ? undefined : { Cookie: cookie }
  const url = address + path.replace("!", "")
  const { lhr } = await looked(url, { port, extraHeaders, onlyCategories: CATEGORIES, skipAudits: SKIPPED, logLevel: "error" })
  if (lhr.finalDisplayedUrl !== url) throw new Error(`${url} leads to ${lhr.finalDisplayedUrl}`)
  const scores = CATEGORIES.map((name) => Math.round((lhr.categories[name]?.score ?? 0) * 100))
  const timings = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"]
  const details = timings.map((name) => lhr.audits[name]?.displayValue).join("  ")
  console.log(`${path.padEnd(12)} ${scores.map((score, i) => `${CATEGORIES[i]} ${score}`).join("  ")}  (FCP LCP TBT CLS: ${details})`)
  const fits = scores.every((score, i) => score >= (CATEGORIES[i] === "performance" ? Number(least) : LEAST))
  if (!fits || process.env.EXPLAIN) explain(lhr)
  return fits
}

/** A browser that has just begun may not paint its first page in time: that one is looked at again.
 * @param {string} url @param {import("lighthouse").Flags} flags @returns {Promise<import("lighthouse").RunnerResult>} */
async function looked(url, flags, tries = 2) {
  const result = await lighthouse(url, flags)
  if (!result) throw new Error(`Lighthouse says nothing about ${url}`)
  const fault = result.lhr.runtimeError
  if (!fault) return result
  if (tries === 1) throw new Error(`${url}: ${fault.code} ${fault.message}`)
  console.log(`${url}: ${fault.code}, once more`)
  return looked(url, flags, tries - 1)
}

/** @param {import("lighthouse").Result} lhr */
function explain({ categories, audits }) {
  for (const name of CATEGORIES) {
    for (const { id, weight } of categories[name]?.auditRefs ?? []) {
      const { score, title, displayValue = "" } = audits[id] ?? {}
      if (weight && score !== null && score !== undefined && score < 1) console.log(`  ${name}: ${score} ${title} ${displayValue}`)
    }
  }
}

/** @param {import("node:child_process").ChildProcess} browser @returns {Promise<number>} */
function debuggingPort(browser) {
  return new Promise((resolve, reject) => {
    let said = ""
    browser.stderr?.on("data", (piece) => {
      said += piece
      const port = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(said)?.[1]
      if (port) resolve(Number(port))
    })
    browser.on("error", reject)
    browser.on("exit", () => reject(new Error(`the browser ended: ${said}`)))
  })
}
