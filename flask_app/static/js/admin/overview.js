// @ts-check
/** Entry of the site at a glance: figures, a range of days, and who and what used how much. */
import { reasonOf } from "app/admin/key-failures.js"
import { showBudgets } from "app/usage/budget-bars.js"
import { explainFlags, fillTile } from "app/usage/figures.js"
import { formatDateTime, formatNumber, formatPercent, t } from "app/i18n.js"
import { showReport } from "app/usage/report.js"
import { fromTemplate, must, pageState } from "app/ui.js"

/** @typedef {{label: string, provider: string, state: string, until: string | null, code: string | null, message: string | null}} Troubled */
/** @typedef {{attempts: number, failed: number}} Ended */
/** @typedef {{version: string, schema: {state: "ok" | "warning" | "bad", code: string, facts: Record<string, string>}}} Version */

const BADGES = /** @type {const} */ ({ ok: "badge--ok", warning: "badge--warn", bad: "badge--danger" })

const { report, ...overview } = pageState("admin-state")

for (const period of ["today", "month"]) fillTile(must(document, `[data-tile="${period}"]`), overview[period])
explainFlags(document, [overview.total])
must(document, "[data-keys-fail]").hidden = !overview.keys_fail
must(document, "[data-demo]").hidden = !overview.demo || overview.keys_fail
must(document, "[data-people-wait]").hidden = overview.waiting === 0
must(document, "[data-waiting]").textContent = t("js.admin.people_wait", { count: formatNumber(overview.waiting) })
must(document, "[data-drifts-stand]").hidden = overview.drifts === 0
must(document, "[data-drifts]").textContent = t("js.admin.drifts_stand", { count: formatNumber(overview.drifts) })
must(document, "[data-users]").textContent = formatNumber(overview.users)
must(document, "[data-keys]").textContent = formatNumber(overview.keys)
must(document, "[data-online]").textContent = t("js.admin.online", { count: formatNumber(overview.online) })
must(document, "[data-troubled]").hidden = overview.troubled.length === 0
must(document, "[data-troubled-keys]").replaceChildren(...overview.troubled.map(troubledKey))
showBudgets(must(document, "[data-site-budgets]"), overview.budgets, overview.timezone)
must(document, "[data-failed]").textContent = failedWords(overview)
showVersion(overview)
const root = must(document, "[data-overview]")
root.hidden = false // all at once: nothing moves once it is seen
showReport(root, report, { path: "/api/admin/usage", tokens: "/api/admin/usage/tokens", linked: ["user", "group", "model", "key", "token"] })

/** @param {Troubled} key */
function troubledKey({ label, provider, state, until, code, message }) {
  const why = code ? reasonOf({ code, message: message ?? code }) : ""
  const rests = until && state === "benched" ? t("js.admin.system_key_until", { at: formatDateTime(until) }) : ""
  return fromTemplate("troubled-key-template", { label, provider, state: t(`js.admin.system_key_${state}`), why: [why, rests].filter(Boolean).join(" ") })
}

/** @param {Ended} today */
function failedWords({ attempts, failed }) {
  if (!attempts) return t("js.admin.none_ended")
  return t("js.admin.failed_of", { failed: formatNumber(failed), attempts: formatNumber(attempts), share: formatPercent(failed / attempts) })
}

/** @param {Version} site */
function showVersion({ version, schema: { state, code, facts } }) {
  must(document, "[data-version]").textContent = version
  const badge = must(document, "[data-schema]")
  badge.textContent = t(`js.admin.system_${code}`, facts)
  badge.classList.add(BADGES[state])
}
