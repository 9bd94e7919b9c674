// @ts-check
/** Entry of one's own usage: four periods, thirty days, the records. */
import { showBudgets } from "app/budget-bars"
import { DayChart } from "app/chart"
import { explainFlags, fillTile } from "app/figures"
import { t } from "app/i18n"
import { RecordList } from "app/records"
import { must, pageState } from "app/ui"

const { summary, budgets, records, next } = pageState("dashboard-state")

must(document, "[data-lead]").textContent = t("js.dashboard.lead", { timezone: summary.timezone })
for (const period of ["today", "week", "month", "total"]) {
  fillTile(must(document, `[data-tile="${period}"]`), summary[period])
}
explainFlags(document, [summary.total])
showBudgets(must(document, "[data-budgets]"), budgets)
must(document, "[data-tiles]").hidden = false // all at once: nothing moves once it is seen

const empty = summary.total.requests === 0
must(document, "[data-empty]").hidden = !empty
must(document, "[data-filled]").hidden = empty
if (!empty) {
  new RecordList(must(document, "[data-records]"), "/api/usage/records").append({ records, next })
  new DayChart(must(document, "[data-days]"), summary.days).draw()
}
