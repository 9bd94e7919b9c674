// @ts-check
/** Which of the versions of a message is shown, "2/3", and the way to its neighbours. */
import { t } from "app/i18n.js"
import { fill, must } from "app/ui.js"

/** @param {HTMLElement} message @param {number} at from 1 @param {number} count */
export function showVersion(message, at, count) {
  const place = must(message, "[data-versions]")
  place.hidden = count < 2
  fill(place, { version: `${at}/${count}`, "version-words": t("js.version_of", { at, count }) })
  must(place, '[data-step="-1"]').ariaDisabled = String(at <= 1)
  must(place, '[data-step="1"]').ariaDisabled = String(at >= count)
}

/** The button that leads one version back (-1) or on (1). @param {HTMLElement} message @param {number} by */
export function stepButton(message, by) {
  return must(message, `[data-step="${by}"]`)
}
