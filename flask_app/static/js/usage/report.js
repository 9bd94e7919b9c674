// @ts-check
/** All that a page says of a range of days. */
import { withParameter } from "app/addresses.js"
import { Breakdown } from "app/usage/breakdown.js"
import { BarChart } from "app/usage/chart.js"
import { HeatMap } from "app/usage/heat-map.js"
import { t } from "app/i18n.js"
import { RangePicker, showSums, withDays } from "app/usage/range.js"
import { must, slot, tell } from "app/ui.js"

/**
 * @param {HTMLElement} root
 * @param {import("app/usage/range.js").Report} report
 * @param {{path: string, tokens: string, linked: string[]}} source as `Breakdown` takes it
 */
export function showReport(root, report, source) {
  const picker = new RangePicker(must(root, "[data-range]"), report)
  showSums(must(root, "[data-sums]"), report)
  const bars = must(root, "[data-bars]")
  slot(bars, "title").textContent = t(`js.stats.bars_${report.unit}`)
  must(bars, "[data-csv]").setAttribute("href", withDays(withParameter(`${source.path}/export`, "by", report.unit), report))
  new BarChart(bars, report.bars, report.unit).draw().catch(tell)
  new Breakdown(must(root, "[data-breakdown]"), report, { ...source, chosen: (by) => picker.keep(by) })
  new HeatMap(must(root, "[data-heat]"), report, source.path)
}
