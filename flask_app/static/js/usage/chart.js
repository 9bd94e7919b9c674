// @ts-check
/** Tokens by hour, day or month as stacked bars, with a table of the same figures. uPlot is fetched when a chart is drawn. */
import { loaded } from "app/api.js"
import { figuresOf } from "app/usage/figures.js"
import { formatCompact, formatDay, formatMonth, formatNumber, t } from "app/i18n.js"
import { fromTemplate, must } from "app/ui.js"

/**
 * @typedef {import("app/usage/figures.js").Sum & {key: string, label: string}} Bar
 * @typedef {"hour" | "day" | "month"} Unit
 */

const HEIGHT = 240
const WIDTH_PER_LABEL = 72
const HIGHEST_EMPTY = 10
/** @type {Record<Unit, (bar: Bar) => string>} */
const NAMES = { hour: ({ label }) => label, day: ({ key }) => formatDay(key), month: ({ key }) => formatMonth(key) }

export class BarChart {
  #root
  #bars
  #nameOf
  #box
  /** @type {any} */
  #plot = null

  /** @param {HTMLElement} root @param {Bar[]} bars the oldest first, none missing @param {Unit} unit */
  constructor(root, bars, unit) {
    this.#root = root
    this.#bars = bars
    this.#nameOf = NAMES[unit]
    this.#box = must(root, "[data-chart]")
    must(root, "details").addEventListener("toggle", () => this.#fillTable(), { once: true })
    this.#readOut(this.#newest())
  }

  async draw() {
    const { default: uPlot } = await loaded(import("uplot"))
    const redraw = () => this.#build(uPlot)
    redraw()
    document.addEventListener("themechange", redraw)
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw)
    new ResizeObserver(() => this.#fit()).observe(this.#box)
  }

  /** The newest first; made when the table is first opened. */
  #fillTable() {
    const rows = [...this.#bars].reverse().map((bar) => fromTemplate("bar-row-template", { ...figuresOf(bar), name: this.#nameOf(bar) }))
    must(this.#root, "[data-bar-rows]").replaceChildren(...rows)
  }

  #fit() {
    const width = this.#box.clientWidth
    if (width && this.#plot && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT })
  }

  /** Colours are read from the page as it is now, so a change of theme builds it anew. @param {any} uPlot */
  #build(uPlot) {
    this.#plot?.destroy()
    this.#plot = new uPlot(this.#options(uPlot), columns(this.#bars), this.#box)
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
        x: { time: false, range: [-0.6, this.#bars.length - 0.4] },
        y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ high) => [0, high * 1.05 || HIGHEST_EMPTY] },
      },
      axes: [
        { ...axis, grid: { show: false }, splits: (/** @type {any} */ plot) => this.#labelled(plot), values: this.#names, size: 30, gap: 6 },
        { ...axis, grid: { stroke: style.borderColor, width: 1 }, values: amounts, incrs: STEPS, size: 56, gap: 6 },
      ],
      series: [{}, series("output", 0.12), series("input", 0)],
      hooks: { setCursor: [(/** @type {any} */ plot) => this.#readOut(plot.cursor.idx ?? this.#newest())] },
    }
  }

  /** As many as there is room to name, always with the last. @param {any} plot */
  #labelled(plot) {
    const last = this.#bars.length - 1
    const room = Math.max(2, Math.floor(plot.width / WIDTH_PER_LABEL))
    const step = Math.ceil(this.#bars.length / room)
    return this.#bars.map((_, index) => index).filter((index) => (last - index) % step === 0)
  }

  /** @param {any} _ @param {number[]} indices */
  #names = (_, indices) => indices.map((index) => (this.#bars[index] ? this.#nameOf(this.#bars[index]) : ""))

  /** The last one that has any: a range may reach into what is to come. */
  #newest() {
    const index = this.#bars.findLastIndex(({ requests }) => requests > 0)
    return index < 0 ? this.#bars.length - 1 : index
  }

  /** @param {number} index */
  #readOut(index) {
    const bar = this.#bars[index]
    if (!bar) return
    const { input, output, cost } = figuresOf(bar)
    must(this.#root, "[data-readout]").textContent = t("js.dashboard.readout", { day: this.#nameOf(bar), input, output, cost })
  }
}

/** Tokens are whole: 1, 2, 5, 10, 20, 50 and so on. */
const STEPS = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()

/** @param {any} _ @param {number[]} values */
function amounts(_, values) {
  return values.map((value) => (value < 10_000 ? formatNumber(value) : formatCompact(value)))
}

/** Stacked: the output's bar reaches to the total, the input's is drawn over it. @param {Bar[]} bars */
function columns(bars) {
  return [
    bars.map((_, index) => index),
    bars.map((bar) => bar.prompt_tokens + bar.completion_tokens),
    bars.map((bar) => bar.prompt_tokens),
  ]
}
