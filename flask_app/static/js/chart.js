// @ts-check
/** Tokens by day as stacked bars, with a table of the same figures. uPlot is fetched when a chart is drawn. */
import { figuresOf } from "app/figures"
import { formatCompact, formatDay, formatNumber, t } from "app/i18n"
import { fill, fromTemplate, must } from "app/ui"

/** @typedef {import("app/figures").Sum & {date: string}} Day */

const HEIGHT = 240
const WIDTH_PER_LABEL = 72
const HIGHEST_EMPTY = 10

export class DayChart {
  #root
  #days
  #box
  /** @type {any} */
  #plot = null

  /** @param {HTMLElement} root @param {Day[]} days the oldest first, none missing */
  constructor(root, days) {
    this.#root = root
    this.#days = days
    this.#box = must(root, "[data-chart]")
    must(root, "details").addEventListener("toggle", () => this.#fillTable(), { once: true })
    this.#readOut(days.length - 1)
  }

  async draw() {
    const { default: uPlot } = await import("uplot")
    const redraw = () => this.#build(uPlot)
    redraw()
    document.addEventListener("themechange", redraw)
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw)
    new ResizeObserver(() => this.#fit()).observe(this.#box)
  }

  /** The newest day first; made when the table is first opened. */
  #fillTable() {
    must(this.#root, "[data-day-rows]").replaceChildren(...[...this.#days].reverse().map(row))
  }

  #fit() {
    const width = this.#box.clientWidth
    if (width && this.#plot && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT })
  }

  /** Colours are read from the page as it is now, so a change of theme builds it anew. @param {any} uPlot */
  #build(uPlot) {
    this.#plot?.destroy()
    this.#plot = new uPlot(this.#options(uPlot), columns(this.#days), this.#box)
  }

  /** @param {any} uPlot */
  #options(uPlot) {
    const style = getComputedStyle(must(this.#root, ".day-chart"))
    const axis = { stroke: style.color, font: `12px ${style.fontFamily}`, ticks: { show: false } }
    const colour = (/** @type {string} */ name) => {
      const key = must(this.#root, `[data-key="${name}"]`)
      return getComputedStyle(key, "::before").backgroundColor
    }
    const series = (/** @type {string} */ name, /** @type {number} */ radius) => ({
      fill: colour(name),
      width: 0,
      paths: uPlot.paths.bars({ size: [0.72, 30], radius }),
      points: { show: false },
    })
    return {
      width: this.#box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: [-0.6, this.#days.length - 0.4] },
        y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ high) => [0, high * 1.05 || HIGHEST_EMPTY] },
      },
      axes: [
        { ...axis, grid: { show: false }, splits: (/** @type {any} */ plot) => this.#labelled(plot), values: this.#names, size: 30, gap: 6 },
        { ...axis, grid: { stroke: style.borderColor, width: 1 }, values: amounts, incrs: STEPS, size: 56, gap: 6 },
      ],
      series: [{}, series("output", 0.12), series("input", 0)],
      hooks: { setCursor: [(/** @type {any} */ plot) => this.#readOut(plot.cursor.idx ?? this.#days.length - 1)] },
    }
  }

  /** As many days as there is room to name, always with the last. @param {any} plot */
  #labelled(plot) {
    const last = this.#days.length - 1
    const room = Math.max(2, Math.floor(plot.width / WIDTH_PER_LABEL))
    const step = Math.ceil(this.#days.length / room)
    return this.#days.map((_, index) => index).filter((index) => (last - index) % step === 0)
  }

  /** @param {any} _ @param {number[]} indices */
  #names = (_, indices) => indices.map((index) => formatDay(this.#days[index]?.date ?? ""))

  /** @param {number} index */
  #readOut(index) {
    const day = this.#days[index]
    if (!day) return
    const { input, output } = figuresOf(day)
    must(this.#root, "[data-readout]").textContent = t("js.dashboard.readout", { day: formatDay(day.date), input, output })
  }
}

/** Tokens are whole: 1, 2, 5, 10, 20, 50 and so on. */
const STEPS = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()

/** @param {any} _ @param {number[]} values */
function amounts(_, values) {
  return values.map((value) => (value < 10_000 ? formatNumber(value) : formatCompact(value)))
}

/** Stacked: the output's bar reaches to the total, the input's is drawn over it. @param {Day[]} days */
function columns(days) {
  return [
    days.map((_, index) => index),
    days.map((day) => day.prompt_tokens + day.completion_tokens),
    days.map((day) => day.prompt_tokens),
  ]
}

/** @param {Day} day */
function row(day) {
  const element = fromTemplate("day-row-template")
  fill(element, { ...figuresOf(day), day: formatDay(day.date) })
  return element
}
