// @ts-check
/** What is told of conversations that do not come in. */
import { formatNumber, t } from "app/i18n.js"
import { TOO_LONG, TOO_MANY } from "app/imports/refused.js"

const MOST_TOLD = 20
const MOST_TITLE = 100
const REASONS = new Set(["too_old", TOO_LONG, TOO_MANY, "import_not_a_tree", "import_empty", "too_many_prompts", "too_many_assistants"])

/** The titles of so many, with why, and how many more there are. @param {import("app/imports/refused.js").Refusal[]} refusals @returns {string[]} */
export function linesOf(refusals) {
  const lines = refusals.slice(0, MOST_TOLD).map(({ title, code }) => {
    const reason = t(`js.portability.refused_${REASONS.has(code) ? code : "unreadable"}`)
    return t("js.portability.refused_line", { title: title.trim().slice(0, MOST_TITLE).toWellFormed() || t("js.portability.untitled"), reason })
  })
  const more = refusals.length - lines.length
  return more > 0 ? [...lines, t("js.portability.refused_more", { count: formatNumber(more) })] : lines
}
