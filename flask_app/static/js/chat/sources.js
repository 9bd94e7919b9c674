// @ts-check
/** What a search of the web has found for a question, and where its links led, below it: a line that opens, with a card for each page. Loaded with the first one. */
import { searchWords } from "app/chat/question.js"
import { t } from "app/i18n.js"
import { fill, fromTemplate, slot } from "app/ui.js"

/** @param {HTMLElement} place @param {import("app/chat/question.js").Search} search */
export function showSources(place, search) {
  const hasPages = search.status === "found" || search.sources.length > 0
  const shown = fromTemplate(hasPages ? "searched-template" : "searched-in-vain-template", { said: searchWords(search) })
  if (hasPages) {
    fill(shown, { query: search.query && t("js.web_query", { query: search.query }) })
    slot(shown, "sources").replaceChildren(...search.sources.map(card))
  }
  place.replaceChildren(shown)
}

/** @param {import("app/markdown/citations.js").Source} source */
function card({ number, title, url, site, published, fetched }) {
  const item = fromTemplate("source-template", { number: String(number), title: title || url, about: aboutSource(site, published, fetched) })
  const link = /** @type {HTMLAnchorElement} */ (slot(item, "link"))
  if (/^https?:\/\//i.test(url)) link.href = url
  slot(item, "words").dataset.address = url
  return item
}

/** Whose page it is, of which day, as far as its engine says so, and how opening it went. @param {string} site @param {string} published @param {string} [fetched] */
function aboutSource(site, published, fetched) {
  return [fetched && t(`js.web_link_${fetched}`), site, published.replace(/^(\d{4}-\d\d-\d\d)[T ].*$/, "$1")].filter(Boolean).join(" · ")
}
