// @ts-check
/** What a search of the web has found for a question, below it: a line that opens, with a card for each page. Loaded with the first one. */
import { searchWords } from "app/chat/question.js"
import { t } from "app/i18n.js"
import { fill, fromTemplate, slot } from "app/ui.js"

/** @param {HTMLElement} place @param {import("app/chat/question.js").Search} search */
export function showSources(place, search) {
  const isFound = search.status === "found"
  const shown = fromTemplate(isFound ? "searched-template" : "searched-in-vain-template", { said: searchWords(search) })
  if (isFound) {
    fill(shown, { query: t("js.web_query", { query: search.query }) })
    slot(shown, "sources").replaceChildren(...search.sources.map(card))
  }
  place.replaceChildren(shown)
}

/** @param {import("app/markdown/citations.js").Source} source */
function card({ number, title, url, site, published }) {
  const item = fromTemplate("source-template", { number: String(number), title: title || url, about: aboutSource(site, published) })
  const link = /** @type {HTMLAnchorElement} */ (slot(item, "link"))
  if (/^https?:\/\//i.test(url)) link.href = url
  slot(item, "words").dataset.address = url
  return item
}

/** Whose page it is, and of which day, as far as its engine says so. @param {string} site @param {string} published */
function aboutSource(site, published) {
  return [site, published.replace(/^(\d{4}-\d\d-\d\d)[T ].*$/, "$1")].filter(Boolean).join(" · ")
}
