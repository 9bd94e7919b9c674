// @ts-check
/** Entry of what one's own programs asked, searched for by filters, and what they said where that is kept. */
import { api } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { showRequests } from "app/programs/request-list.js"
import { fill, must, openDialog, pageState, slot, tell } from "app/ui.js"

/** @typedef {{asked: string, reasoning: string, text: string, calls: string, cut: boolean, until: string}} Words */

const PATH = "/api/requests"
const PARTS = /** @type {const} */ (["asked", "reasoning", "text", "calls"])
const dialog = must(document, "#words-dialog")

showRequests(pageState("requests-state"), { path: PATH, page: "/tokens/requests", records: "/dashboard", showWords })
dialog.addEventListener("close", () => fill(dialog, Object.fromEntries(PARTS.map((name) => [name, ""])))) // no page keeps them

/** @param {import("app/programs/request-facts.js").ProgramRequest} request */
async function showWords({ id }) {
  try {
    const words = /** @type {Words} */ (await api.get(`${PATH}/${id}/words`))
    for (const name of PARTS) slot(dialog, `${name}-part`).hidden = !words[name]
    slot(dialog, "nothing").hidden = PARTS.slice(1).some((name) => words[name])
    slot(dialog, "cut").hidden = !words.cut
    const { reasoning, text, calls } = words
    fill(dialog, { asked: indented(words.asked), reasoning, text, calls, until: t("js.requests.words_until", { time: formatDateTime(words.until) }) })
    openDialog("words-dialog")
  } catch (error) {
    tell(error)
  }
}

/** JSON as people read it; anything else, and what was cut off, as it came. @param {string} body */
function indented(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
