// @ts-check
/** Use by user, model or key over a period: the most tokens first, with a bar for each one's share of the largest. */
import { withParameter } from "app/addresses"
import { api } from "app/api"
import { figuresOf } from "app/figures"
import { formatNumber, sentence, t } from "app/i18n"
import { fill, fromTemplate, must, slot, toast } from "app/ui"

const SHOWN = 10

/** @typedef {import("app/figures").Sum & {key: string, label: string}} Group */

export class Breakdown {
  #root
  #by
  #all
  /** @type {Group[]} */
  #groups = []
  /** Only the newest question's answer counts. */
  #asked = 0

  /** @param {HTMLElement} root @param {string} by "user", "model" or "key" */
  constructor(root, by) {
    this.#root = root
    this.#by = by
    this.#all = must(root, "[data-breakdown-all]")
    this.#all.addEventListener("click", () => this.#drawAll())
  }

  /** @param {string | undefined} from the first day; undefined is everything */
  async show(from) {
    const asked = ++this.#asked
    const path = withParameter("/api/admin/usage", "by", this.#by)
    this.#root.setAttribute("aria-busy", "true")
    try {
      const { rows } = await api.get(from ? withParameter(path, "from", from) : path)
      if (asked !== this.#asked) return
      this.#groups = rows
      this.#draw(SHOWN)
    } catch (error) {
      toast(sentence(error), { kind: "danger" })
    } finally {
      if (asked === this.#asked) this.#root.removeAttribute("aria-busy")
    }
  }

  /** The button goes; the focus moves on to the first row that was not there. */
  #drawAll() {
    this.#draw(Number.POSITIVE_INFINITY)
    const links = /** @type {NodeListOf<HTMLElement>} */ (this.#root.querySelectorAll('[data-slot="label"]'))
    links[SHOWN]?.focus()
  }

  /** @param {number} shown how many at most */
  #draw(shown) {
    const largest = this.#groups[0]?.total_tokens || 1
    const rows = this.#groups.slice(0, shown).map((group) => this.#row(group, group.total_tokens / largest))
    must(this.#root, "[data-breakdown-rows]").replaceChildren(...rows)
    must(this.#root, ".table-scroll").hidden = rows.length === 0
    must(this.#root, "[data-breakdown-none]").hidden = rows.length > 0
    must(this.#root, "[data-breakdown-foot]").hidden = rows.length === this.#groups.length
    this.#all.textContent = t("js.admin.show_all", { count: formatNumber(this.#groups.length) })
  }

  /** @param {Group} group @param {number} share of the largest */
  #row(group, share) {
    const row = fromTemplate("breakdown-template")
    fill(row, { ...only(row, figuresOf(group)), label: this.#nameOf(group) })
    const link = /** @type {HTMLAnchorElement} */ (slot(row, "label"))
    if (group.key) link.href = withParameter("/admin/records", this.#by, group.key)
    const bar = /** @type {HTMLProgressElement} */ (slot(row, "share"))
    bar.value = share
    return row
  }

  /** @param {Group} group */
  #nameOf({ key, label }) {
    if (!key) return t("js.admin.no_key")
    return label
  }
}

/** The figures that the row has a place for. @param {ParentNode} row @param {Record<string, string>} figures */
function only(row, figures) {
  return Object.fromEntries(Object.entries(figures).filter(([name]) => row.querySelector(`[data-slot="${name}"]`)))
}
