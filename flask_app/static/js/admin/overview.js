// @ts-check
/** Entry of the site at a glance: figures, thirty days, and who and what used how much. */
import { Breakdown } from "app/admin/breakdown"
import { DayChart } from "app/chart"
import { explainFlags, fillTile } from "app/figures"
import { formatNumber, t } from "app/i18n"
import { must, pageState } from "app/ui"

const overview = pageState("admin-state")
/** The first day of each period, as the server counts days. @type {Record<string, string | undefined>} */
const firstDays = { today: overview.days.at(-1).date, week: overview.days.at(-7).date, month: overview.days[0].date }

for (const period of ["today", "month"]) fillTile(must(document, `[data-tile="${period}"]`), overview[period])
explainFlags(document, [overview.total])
must(document, "[data-keys-fail]").hidden = !overview.keys_fail
must(document, "[data-demo]").hidden = !overview.demo || overview.keys_fail
must(document, "[data-users]").textContent = formatNumber(overview.users)
must(document, "[data-keys]").textContent = formatNumber(overview.keys)
must(document, "[data-online]").textContent = t("js.admin.online", { count: formatNumber(overview.online) })
must(document, "[data-overview]").hidden = false // all at once: nothing moves once it is seen
new DayChart(must(document, "[data-days]"), overview.days).draw()

const breakdowns = ["user", "model", "key"].map((by) => new Breakdown(must(document, `[data-breakdown="${by}"]`), by))
const periods = must(document, "[data-periods]")
periods.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button")
  if (button) choose(button.value)
})
choose(new URLSearchParams(location.search).get("period") ?? "month")

/** @param {string} period one of the buttons' values */
function choose(period) {
  for (const button of periods.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === period))
  for (const breakdown of breakdowns) breakdown.show(firstDays[period])
}
