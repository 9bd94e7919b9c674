// @ts-check
/** The price of the hour beside the model that is chosen, for as long as it holds. */
import { api, inTime } from "app/api.js"
import { t } from "app/i18n.js"

const [A_MINUTE, LONGEST_TIMER, LATER, SPREAD] = [60_000, 86_400_000, 2_000, 10_000] // ms; so much later, within the last, all ask who wait for an hour

/** @typedef {{now: boolean, until: string | null, until_words: string}} Peak are its prices those of peak hours, and until when are they what they are? */

export class Hours {
  #place
  #models
  #chosen
  #ends = 0

  /** @param {HTMLElement} place @param {{id: string, peak: Peak | null}[]} models @param {() => string} chosen the id of one */
  constructor(place, models, chosen) {
    this.#place = place
    this.#models = models
    this.#chosen = chosen
  }

  /** That of the model which is chosen now; one that is over is asked for anew. */
  show() {
    if (this.#show(this.#peak) <= 0) this.look()
  }

  get #peak() {
    return this.#models.find(({ id }) => id === this.#chosen())?.peak ?? null
  }

  /** Is it still the hour that it was? Where that cannot be had, what holds only until a moment is not said after it. */
  async look() {
    if (!this.#models.some(({ peak }) => peak)) return
    const asked = inTime((signal) => api.get("/api/models", { signal }))
    const { models } = await asked.catch(({ status }) => ({ models: status === 401 ? [] : this.#models }))
    for (const known of this.#models) known.peak = models.find((/** @type {{id: string}} */ { id }) => id === known.id)?.peak ?? null
    this.#show(this.#peak)
  }

  /** Gives how long it is yet. A tab that is not seen asks for no other: a request is a visit, and it asks when it is looked at. @param {Peak | null} peak */
  #show(peak) {
    const place = this.#place
    const rest = peak?.until ? Date.parse(peak.until) - Date.now() : Infinity
    clearTimeout(this.#ends)
    const over = () => (document.hidden ? this.#show(peak) : this.look())
    if (rest < Infinity) this.#ends = setTimeout(over, rest > 0 ? Math.min(rest + LATER + Math.random() * SPREAD, LONGEST_TIMER) : A_MINUTE)
    place.hidden = !peak || rest <= 0
    if (!peak || place.hidden) return rest
    const kind = (place.dataset.kind = peak.now ? "peak" : "off_peak")
    place.textContent = peak.until ? t(`js.${kind}_until`, { time: peak.until_words }) : t(`js.${kind}`)
    return rest
  }
}
