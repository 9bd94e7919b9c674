// @ts-check
/** Who looks questions up on the web, in the settings; and one search to see whether it works. */
import { api } from "app/api.js"
import { formatMoney, formatNumber, t } from "app/i18n.js"
import { fromTemplate, must, onSubmit, slot, toast } from "app/ui.js"

/**
 * @typedef {object} WebSearch
 * @property {"off" | "deepseek" | "searxng"} engine
 * @property {string | null} provider_id
 * @property {string | null} url
 * @property {boolean} usable it can search now
 * @property {string | null} model what searches are booked as
 * @property {number | null} price of one search, in millionths of the currency; null without a price
 * @property {string | null} currency
 * @property {{id: string, name: string, own: boolean, usable: boolean}[]} providers
 */
/** @typedef {{status: "found" | "empty" | "failed", latency_ms: number, error: {message: string} | null, sources: {title: string, url: string, site: string}[]}} Tried */

const PATH = "/api/admin/settings/web-search"

export class WebSearchForm {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-web-search-form]"))
  #searching = must(document, "[data-searching]")
  #trial = /** @type {HTMLFormElement} */ (must(this.#searching, "[data-try-search-form]"))
  #tried = must(this.#searching, "[data-tried]")
  #found = must(this.#searching, "[data-found]")
  /** The one that is saved. */
  #saved = "off"

  /** @param {WebSearch} state */
  constructor(state) {
    this.#show(state)
    this.#form.addEventListener("change", () => this.#showParts())
    onSubmit(this.#form, async ({ engine, provider = "", search_url: url = "" }) => {
      const wanted = { engine, provider_id: engine === "deepseek" ? provider : null, url: engine === "searxng" ? url : null }
      this.#show(await api.put(PATH, wanted))
      toast(t(engine === "off" ? "js.admin.web_search_off" : "js.admin.web_search_saved"))
    })
    onSubmit(this.#trial, async ({ query = "" }) => {
      this.#tell(t("js.admin.web_search_trying"))
      try {
        this.#showTried(await api.post(`${PATH}/try`, { query }))
      } catch (error) {
        this.#tell("")
        throw error
      }
    })
  }

  /** @param {WebSearch} state */
  #show({ engine, provider_id: provider, url, usable, price, currency, providers }) {
    /** @type {RadioNodeList} */ (this.#form.elements.namedItem("engine")).value = engine
    const chosen = this.#field("provider")
    chosen.replaceChildren(...providers.map(({ id, name, own }) => new Option(own ? name : t("js.admin.web_search_not_own", { name }), id)))
    if (provider) chosen.value = provider
    must(this.#form, "[data-no-provider]").hidden = providers.length > 0
    this.#field("search_url").value = url ?? ""
    this.#saved = engine
    must(this.#searching, "[data-no-price]").hidden = price !== null
    must(this.#searching, "[data-no-key]").hidden = usable
    this.#trial.hidden = !usable
    const words = engine === "searxng" ? t("js.admin.web_search_free") : price === null ? "" : priceWords(price, currency)
    slot(this.#searching, "price").textContent = words
    slot(this.#searching, "price").hidden = !words
    this.#tell("")
    this.#showParts()
  }

  /** What is hidden is not asked for. What a search costs and finds is told of the one that is saved. */
  #showParts() {
    const wanted = new FormData(this.#form).get("engine")
    this.#searching.hidden = wanted === "off" || wanted !== this.#saved
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (this.#form.querySelectorAll("[data-engine-part]"))) {
      part.hidden = part.dataset.enginePart !== wanted
      for (const field of part.querySelectorAll("input, select")) field.toggleAttribute("disabled", part.hidden)
    }
  }

  /** @param {Tried} tried */
  #showTried({ status, latency_ms: milliseconds, error, sources }) {
    const values = { count: formatNumber(sources.length), seconds: formatNumber(Math.round(milliseconds / 100) / 10) }
    this.#tell(error ? error.message : t(`js.admin.web_search_${status}`, values))
    this.#found.replaceChildren(...sources.map(row))
    this.#found.hidden = sources.length === 0
  }

  /** @param {string} words */
  #tell(words) {
    this.#tried.textContent = words
    this.#found.hidden = true
  }

  /** @param {string} name @returns {HTMLInputElement | HTMLSelectElement} */
  #field(name) {
    return /** @type {HTMLInputElement | HTMLSelectElement} */ (this.#form.elements.namedItem(name))
  }
}

/** @param {number} price @param {string | null} currency */
function priceWords(price, currency) {
  return t("js.admin.web_search_price", { price: formatMoney(price, currency ?? ""), thousand: formatMoney(price * 1000, currency ?? "") })
}

/** @param {Tried["sources"][number]} source */
function row({ title, url, site }) {
  const element = fromTemplate("found-template", { title: title || url, site })
  slot(element, "title").setAttribute("href", url)
  return element
}
