// @ts-check
/** Entry of the site at a glance: figures, a range of days, and who and what used how much. */
import { explainFlags, fillTile } from "app/figures"
import { formatNumber, t } from "app/i18n"
import { showReport } from "app/report"
import { must, pageState } from "app/ui"

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
const root = must(document, "[data-overview]")
root.hidden = false // all at once: nothing moves once it is seen
showReport(root, report, { path: "/api/admin/usage", tokens: "/api/admin/usage/tokens", linked: ["user", "group", "model", "key", "token"] })
