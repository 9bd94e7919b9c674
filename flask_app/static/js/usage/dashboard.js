// @ts-check
/** Entry of one's own usage: four periods, a range of days, the records. */
import { aTurnLater } from "app/api.js"
import { showBudgets } from "app/usage/budget-bars.js"
import { explainFlags, fillTile } from "app/usage/figures.js"
import { nameOfZone, t } from "app/i18n.js"
import { recordsPath, showFilters } from "app/usage/record-filters.js"
import { RecordList } from "app/usage/records.js"
import { offerRedeeming } from "app/usage/redeem.js"
import { showReport } from "app/usage/report.js"
import { must, pageState } from "app/ui.js"

const { summary, report, budgets, codes, models, tokens, records, next, expected } = pageState("dashboard-state")

must(document, "[data-zone]").textContent = t("js.dashboard.zone", { timezone: nameOfZone(summary.timezone) })
for (const period of ["today", "week", "month", "total"]) {
  fillTile(must(document, `[data-tile="${period}"]`), summary[period])
}
explainFlags(document, [summary.total])
showBudgets(must(document, "[data-budgets]"), budgets, summary.timezone)
if (codes) offerRedeeming(must(document, "[data-redeem]"), keepBalance)
must(document, "[data-tiles]").hidden = false // all at once: nothing moves once it is seen

const empty = summary.total.requests === 0
must(document, "[data-empty]").hidden = !empty
must(document, "[data-filled]").hidden = empty
if (!empty) {
  await aTurnLater(null) // the figures above are seen before the charts are drawn
  showReport(must(document, "[data-filled]"), report, { path: "/api/usage/groups", tokens: "/api/usage/tokens", linked: [] })
  showFilters(/** @type {HTMLFormElement} */ (must(document, "[data-record-filters]")), { models, tokens }, report)
  await aTurnLater(null)
  const list = new RecordList(must(document, "[data-records]"), recordsPath("/api/usage/records", report))
  list.append({ records, next })
  list.expect(expected)
}

/** The reader's own stand first. @param {import("app/i18n.js").Budget} balance */
function keepBalance(balance) {
  const there = budgets.findIndex((/** @type {import("app/i18n.js").Budget} */ { id }) => id === balance.id)
  budgets.splice(Math.max(there, 0), there < 0 ? 0 : 1, balance)
  showBudgets(must(document, "[data-budgets]"), budgets, summary.timezone)
}
