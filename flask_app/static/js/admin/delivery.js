// @ts-check
/** What came of sending a test. */
import { t } from "app/i18n.js"
import { fromTemplate, slot } from "app/ui.js"

/** @typedef {{ok: boolean, error: {message: string, detail: string | null} | null}} Delivery */

/** @param {HTMLElement} place @param {Delivery} delivery @param {string} arrived */
export function showResult(place, { ok, error }, arrived) {
  const text = ok ? arrived : t("js.warnings.test_failed", { reason: error?.message ?? "" })
  const element = fromTemplate("result-template", { text, detail: error?.detail ?? "" })
  element.classList.add(ok ? "notice--ok" : "notice--danger")
  slot(element, "detail").hidden = !error?.detail
  place.replaceChildren(element)
}
