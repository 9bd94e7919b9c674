// @ts-check
/** Entry of the system page: what stands well and what does not, who serves, and what was done on schedule. */
import { api } from "app/api.js"
import { formatAgo, formatDateTime, formatNumber, t } from "app/i18n.js"
import { announce, fromTemplate, must, pageState, slot, tell } from "app/ui.js"

/**
 * @typedef {"ok" | "warning" | "bad"} How
 * @typedef {{state: How, code: string, facts: Record<string, string | number | null>}} Check
 * @typedef {{host: string, process: number, version: string, started_at: string, seen_at: string, silent: boolean, free_bytes: number}} Process
 * @typedef {{name: string, at: string, failed: boolean}} Job
 * @typedef {{label: string, provider: string, state: string, until: string | null}} Key
 * @typedef {{version: string, folder: string, checks: Check[], processes: Process[], jobs: Job[], keys: Key[]}} System
 */

const PATH = "/api/admin/system"
const GIGABYTE = 2 ** 30
const BADGES = /** @type {const} */ ({ ok: "badge--ok", warning: "badge--warn", bad: "badge--danger", off: "badge--off" })
const again = must(document, "[data-look-again]")

show(pageState("admin-state"))
again.addEventListener("click", look)

async function look() {
  if (again.getAttribute("aria-busy") === "true") return
  again.setAttribute("aria-busy", "true")
  try {
    show(await api.get(PATH))
    announce(t("js.admin.system_looked"))
  } catch (error) {
    tell(error)
  } finally {
    again.removeAttribute("aria-busy")
  }
}

/** @param {System} system */
function show({ version, folder, checks, processes, jobs, keys }) {
  must(document, "[data-version]").textContent = t("js.admin.system_version", { version, folder })
  fillList("[data-checks]", checks.map(checkRow))
  fillList("[data-keys]", keys.map(keyRow))
  fillList("[data-processes]", processes.map(processRow))
  fillList("[data-jobs]", jobs.map(jobRow))
  must(document, "[data-keys-part]").hidden = keys.length === 0
  must(document, "[data-processes-none]").hidden = processes.length > 0
  must(document, "[data-jobs-none]").hidden = jobs.length > 0
}

/** @param {string} place @param {HTMLElement[]} rows */
function fillList(place, rows) {
  must(document, place).replaceChildren(...rows)
}

/** @param {Check} check */
function checkRow({ state, code, facts }) {
  const known = Object.entries(facts).map(([name, fact]) => [name, shown(name, fact)])
  return row(state, t(`js.admin.system_is_${state}`), t(`js.admin.system_${code}`, Object.fromEntries(known)), "")
}

/** @param {string} name @param {string | number | null} fact */
function shown(name, fact) {
  if (name === "at") return formatDateTime(String(fact))
  return typeof fact === "number" ? formatNumber(fact) : String(fact ?? "")
}

/** @param {Key} key */
function keyRow({ label, provider, state, until }) {
  const facts = until ? t("js.admin.system_key_until", { at: formatDateTime(until) }) : ""
  return row("warning", t(`js.admin.system_key_${state}`), `${label} · ${provider}`, facts)
}

/** @param {Process} process */
function processRow({ host, process, version, started_at: started, seen_at: seen, silent, free_bytes: free }) {
  const gigabytes = formatNumber(Math.round((free / GIGABYTE) * 10) / 10)
  const facts = t("js.admin.system_process", { version, started: formatDateTime(started), seen: formatAgo(seen), gigabytes })
  return row(silent ? "off" : "ok", t(silent ? "js.admin.system_silent" : "js.admin.system_serves"), `${host} · ${process}`, facts)
}

/** @param {Job} job */
function jobRow({ name, at, failed }) {
  return row(failed ? "bad" : "ok", t(failed ? "js.admin.system_failed" : "js.admin.system_done"), t(`js.admin.job_${name}`), formatAgo(at))
}

/** @param {keyof typeof BADGES} how @param {string} state @param {string} name @param {string} facts */
function row(how, state, name, facts) {
  const element = fromTemplate("system-template", { state, name, facts })
  slot(element, "state").classList.add(BADGES[how])
  slot(element, "facts").hidden = !facts
  return element
}
