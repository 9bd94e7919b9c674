// @ts-check
/** The codes of a batch by their beginnings, what became of each, and taking one back. */
import { PagedLines } from "app/admin/paged-lines.js"
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { fill, fromTemplate, must, openDialog, tell } from "app/ui.js"

/**
 * @typedef {import("app/admin/codes.js").Batch} Batch
 * @typedef {{id: string, hint: string, state: string, redeemed_by: string | null, redeemed_at: string | null}} Code
 */

export class BatchCodes {
  #dialog
  #keep
  #lines

  /** @param {HTMLElement} dialog @param {(batch: Batch) => void} keep what the batch has become */
  constructor(dialog, keep) {
    this.#dialog = dialog
    this.#keep = keep
    this.#lines = new PagedLines(must(dialog, "[data-codes]"), must(dialog, "[data-codes-more]"))
    must(dialog, "[data-codes]").addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-revoke-code]")
      const line = button?.closest("[data-id]")
      if (line instanceof HTMLElement) this.#revoke(line)
    })
  }

  /** @param {Batch} batch */
  open(batch) {
    fill(this.#dialog, { title: t("js.admin.codes_of", { label: batch.label }) })
    this.#lines.show((next) => pageOf(batch, next))
    openDialog(this.#dialog.id)
  }

  /** @param {HTMLElement} line */
  async #revoke(line) {
    try {
      this.#keep(await api.delete(`/api/admin/codes/${line.dataset.id}`))
      fill(line, { state: t("js.admin.code_revoked") })
      must(line, "[data-revoke-code]").hidden = true
      must(this.#dialog, "[data-close-dialog]").focus()
    } catch (error) {
      tell(error)
    }
  }
}

/** @param {Batch} batch @param {string | null} next */
async function pageOf({ id }, next) {
  const path = `/api/admin/code-batches/${id}/codes`
  /** @type {{codes: Code[], next: string | null}} */
  const page = await api.get(next ? withParameter(path, "after", next) : path)
  return { lines: page.codes.map(lineOf), next: page.next }
}

/** @param {Code} code */
function lineOf({ id, hint, state, redeemed_by: who, redeemed_at: at }) {
  const words = at ? t("js.admin.code_redeemed", { who: who ?? "", time: formatDateTime(at) }) : t(`js.admin.code_${state}`)
  const line = fromTemplate("code-template", { hint: `${hint}-…`, state: words })
  line.dataset.id = id
  const button = must(line, "[data-revoke-code]")
  button.hidden = state !== "open"
  button.setAttribute("aria-label", t("js.admin.code_revoke", { hint }))
  return line
}
