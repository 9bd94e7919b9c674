// @ts-check
/** The form of a price: filled from one that is there, and read as what the server takes. */
import { countryName, weekdayName } from "app/admin/price-cards.js"
import { instantOf, localOf } from "app/instants.js"
import { must } from "app/ui.js"

/**
 * @typedef {import("app/admin/price-cards.js").Tariff} Tariff
 * @typedef {import("app/admin/price-cards.js").Calendar} Calendar
 */

const KINDS = /** @type {const} */ (["input_hit", "input_miss", "output"])
const WEEK = [0, 1, 2, 3, 4, 5, 6]
/** What a first price with peak hours starts from. @type {Calendar} */
const USUAL = { timezone: "Asia/Shanghai", weekdays: WEEK.slice(0, 5), hours: [["09:00", "12:00"], ["14:00", "18:00"]], holidays: "CN", peak_days: [], off_peak_days: [] }

export class PriceForm {
  #form
  #zone

  /** @param {HTMLFormElement} form @param {string[]} countries @param {string} timeZone of the reader */
  constructor(form, countries, timeZone) {
    this.#form = form
    this.#zone = timeZone
    must(form, "[data-weekdays]").append(...WEEK.map(weekdayBox))
    const named = countries.map((code) => new Option(countryName(code), code)).sort((a, b) => a.text.localeCompare(b.text, document.documentElement.lang))
    this.#field("holidays").append(...named)
    form.addEventListener("change", () => this.#showParts())
  }

  /**
   * @param {{model: string, currency: string, fixed: boolean}} subject fixed: it can only be corrected, not be another's
   * @param {Tariff | null} from what it starts from
   * @param {string | null} startsAt null is now
   */
  fill({ model, currency, fixed }, from, startsAt) {
    this.#form.reset()
    this.#set({ model, currency, moment: startsAt ? localOf(startsAt, this.#zone) : "" })
    for (const name of ["model", "currency"]) this.#field(name).readOnly = fixed
    this.#radio("when", startsAt ? "later" : "now").checked = true
    if (from) this.#set({ ...from.prices, thousand_requests: from.thousand_requests })
    this.#field("has_peak").checked = Boolean(from?.peak)
    if (from?.peak) for (const kind of KINDS) this.#field(`peak_${kind}`).value = from.peak.prices[kind]
    this.#fillCalendar(from?.peak?.calendar ?? USUAL)
    this.#showParts()
  }

  /** @param {Record<string, string>} values */
  terms(values) {
    const later = values.when === "later" && values.moment
    return {
      prices: Object.fromEntries(KINDS.map((kind) => [kind, values[kind]])),
      thousand_requests: values.thousand_requests || "0",
      peak: values.has_peak ? { prices: Object.fromEntries(KINDS.map((kind) => [kind, values[`peak_${kind}`]])), calendar: this.#calendar(values) } : null,
      starts_at: later ? instantOf(values.moment ?? "", this.#zone) : null,
    }
  }

  /** @param {Calendar} calendar */
  #fillCalendar({ timezone, weekdays, hours, holidays, peak_days: peakDays, off_peak_days: offPeakDays }) {
    const zones = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (this.#field("timezone")))
    if (![...zones.options].some(({ value }) => value === timezone)) zones.add(new Option(timezone))
    const spans = hours.map((span) => span.join("-")).join(", ")
    this.#set({ timezone, holidays, hours: spans, peak_days: peakDays.join("\n"), off_peak_days: offPeakDays.join("\n") })
    for (const day of WEEK) this.#radio("weekday", String(day)).checked = weekdays.includes(day)
  }

  /** @param {Record<string, string>} values @returns {Calendar} */
  #calendar(values) {
    const hours = words(values.hours, /[,，;；\n]+/).map((span) => /** @type {[string, string]} */ (pair(span)))
    return {
      timezone: values.timezone ?? "",
      weekdays: WEEK.filter((day) => this.#radio("weekday", String(day)).checked),
      hours,
      holidays: values.holidays ?? "",
      peak_days: words(values.peak_days, /\s+/),
      off_peak_days: words(values.off_peak_days, /\s+/),
    }
  }

  #showParts() {
    const later = this.#radio("when", "later").checked
    const peak = this.#field("has_peak").checked
    must(this.#form, "[data-moment-part]").hidden = !later
    must(this.#form, "[data-peak-part]").hidden = !peak
    Object.assign(this.#field("moment"), { required: later, disabled: !later })
    for (const name of [...KINDS.map((kind) => `peak_${kind}`), "hours"]) this.#field(name).required = peak
  }

  /** @param {Record<string, string>} values */
  #set(values) {
    for (const [name, value] of Object.entries(values)) this.#field(name).value = value
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (must(this.#form, `[name="${name}"]`))
  }

  /** @param {string} name @param {string} value */
  #radio(name, value) {
    return /** @type {HTMLInputElement} */ (must(this.#form, `[name="${name}"][value="${value}"]`))
  }
}

/** @param {string | undefined} text @param {RegExp} separator */
const words = (text, separator) => (text ?? "").split(separator).map((word) => word.trim()).filter(Boolean)

/** "09:00 – 12:00" @param {string} span */
function pair(span) {
  const [from = "", to = ""] = span.split(/[-–—~]/).map((clock) => clock.trim())
  return [from, to]
}

/** @param {number} day */
function weekdayBox(day) {
  const label = document.createElement("label")
  label.className = "check"
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "weekday", value: String(day), className: "check__box" })
  label.append(box, weekdayName(day))
  return label
}
