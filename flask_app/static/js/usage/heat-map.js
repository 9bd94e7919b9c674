// @ts-check
/** Tokens on each day of a year: a square a day, larger and deeper the more, and a table of the days that had any. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { figuresOf } from "app/usage/figures.js"
import { formatDate, formatMonthName, formatNumber, formatWeekday, t } from "app/i18n.js"
import { Part } from "app/part.js"
import { withDays } from "app/usage/range.js"
import { fill, fromTemplate, must, slot } from "app/ui.js"
import { levelsOf, placesOf } from "app/usage/year.js"

/** @typedef {import("app/usage/chart.js").Bar} Bar its key is the day */

const NEAR = "300px"
const NAMED_WEEKDAYS = [0, 2, 4] // Monday, Wednesday, Friday

export class HeatMap {
  #root
  #part
  #path
  #year
  /** The year's days. @type {Map<string, Bar>} */
  #bars = new Map()

  /** @param {HTMLElement} root @param {import("app/usage/range.js").Report} report @param {string} path where days come from */
  constructor(root, report, path) {
    const years = yearsOf(report)
    this.#root = root
    this.#part = new Part(root)
    this.#path = path
    this.#year = /** @type {HTMLSelectElement} */ (must(root, "[data-year]"))
    this.#year.append(...years.map((year) => new Option(String(year))))
    this.#year.value = String(years.findLast((year) => year >= yearOf(report.to)) ?? years[0])
    this.#year.addEventListener("change", () => this.#load())
    const days = must(root, "[data-heat-days]")
    days.addEventListener("pointerover", (event) => this.#point(/** @type {HTMLElement} */ (event.target)))
    this.#draw()
    whenNear(root, () => this.#load())
  }

  #load() {
    const days = { from: `${this.#year.value}-01-01`, to: `${this.#year.value}-12-31` }
    must(this.#root, "[data-csv]").setAttribute("href", withDays(withParameter(`${this.#path}/export`, "by", "day"), days))
    const ask = () => api.get(withDays(withParameter(this.#path, "by", "day"), days))
    this.#part.load(ask, (/** @type {{rows: Bar[]}} */ { rows }) => {
      this.#bars = new Map(rows.map((bar) => [bar.key, bar]))
      this.#draw()
      this.#tell()
      this.#showNewest()
    })
  }

  #draw() {
    const places = placesOf(Number(this.#year.value))
    const levels = levelsOf(places.map(({ day }) => this.#bars.get(day)?.total_tokens ?? 0))
    must(this.#root, "[data-heat-days]").replaceChildren(
      ...places.filter(({ day }) => day.endsWith("-01")).map(({ day, week }) => named(formatMonthName(day), { week })),
      ...places.slice(0, 7).filter(({ weekday }) => NAMED_WEEKDAYS.includes(weekday)).map(({ day, weekday }) => named(formatWeekday(day), { weekday })),
      ...places.map((place, index) => square(place, levels[index] ?? 0)),
    )
  }

  /** In words and as a table, the newest day first. */
  #tell() {
    const used = [...this.#bars.values()].filter(({ total_tokens: tokens }) => tokens > 0).reverse()
    const most = used.reduce((/** @type {Bar | undefined} */ best, bar) => (best && best.total_tokens >= bar.total_tokens ? best : bar), undefined)
    const words = { count: formatNumber(used.length), day: most ? formatDate(most.key) : "", tokens: formatNumber(most?.total_tokens ?? 0) }
    must(this.#root, "[data-heat-words]").textContent = most ? t("js.stats.year", words) : t("js.stats.year_none")
    must(this.#root, "[data-heat-rows]").replaceChildren(...used.map(row))
    must(this.#root, "details").hidden = used.length === 0
  }

  /** Where the year is wider than its place, the newest day that had any stands at the end. */
  #showNewest() {
    const day = [...this.#root.querySelectorAll(".heat [data-level]")].findLast((each) => each.getAttribute("data-level") !== "0")
    const scroll = must(this.#root, "[data-heat-scroll]")
    if (day) scroll.scrollLeft += day.getBoundingClientRect().right - scroll.getBoundingClientRect().right
  }

  /** @param {HTMLElement} target */
  #point(target) {
    const bar = this.#bars.get(target.dataset.day ?? "")
    if (!bar) return
    const { tokens, requests, cost } = figuresOf(bar)
    must(this.#root, "[data-heat-words]").textContent = t("js.stats.day", { day: formatDate(bar.key), tokens, requests, cost })
  }
}

/** The newest first. @param {import("app/usage/range.js").Report} report */
function yearsOf({ presets }) {
  const [first, last] = [yearOf(presets.all?.from ?? ""), yearOf(presets.all?.to ?? "")]
  return Array.from({ length: last - first + 1 }, (_, index) => last - index)
}

/** @param {string} day */
const yearOf = (day) => Number(day.slice(0, 4))

/** @param {HTMLElement} element @param {() => void} act once, when it is about to be seen */
function whenNear(element, act) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      observer.disconnect()
      act()
    },
    { rootMargin: NEAR },
  )
  observer.observe(element)
}

/** @param {import("app/usage/year.js").Place} place @param {number} level */
function square({ day, week, weekday }, level) {
  const element = placed("heat__day", { week, weekday })
  element.dataset.day = day
  element.dataset.level = String(level)
  return element
}

/** @param {string} words @param {{week?: number, weekday?: number}} place */
function named(words, place) {
  const element = placed("heat__name", place)
  element.textContent = words
  return element
}

/** Behind the names of months and weekdays. @param {string} name @param {{week?: number, weekday?: number}} place */
function placed(name, { week, weekday }) {
  const element = document.createElement("span")
  element.className = name
  element.style.setProperty("grid-column", week === undefined ? "1" : String(week + 2))
  element.style.setProperty("grid-row", weekday === undefined ? "1" : String(weekday + 2))
  return element
}

/** @param {Bar} bar */
function row(bar) {
  const element = fromTemplate("heat-row-template")
  const { requests, tokens, cost } = figuresOf(bar)
  fill(element, { day: formatDate(bar.key), requests, tokens, cost })
  slot(element, "day").setAttribute("href", `${withDays(location.pathname, { from: bar.key, to: bar.key })}#range`)
  return element
}
