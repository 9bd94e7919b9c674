// @ts-check
/** All that a page says of a range of days. */
import { withParameter } from "app/addresses"
import { Breakdown } from "app/breakdown"
import { BarChart } from "app/chart"
import { HeatMap } from "app/heat-map"
import { t } from "app/i18n"
import { RangePicker, showSums, withDays } from "app/range"
import { must, slot, tell } from "app/ui"

/**
 * @param {HTMLElement} root
 * @param {import("app/range").Report} report
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
