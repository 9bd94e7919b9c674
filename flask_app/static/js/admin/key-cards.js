// @ts-check
/** The keys as cards: where each one goes, how it fares, what a test found. */
import { api } from "app/api"
import { formatSeconds } from "app/figures"
import { formatAgo, formatDateTime, formatNumber, t } from "app/i18n"
import { fill, fromTemplate, must, slot } from "app/ui"

/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} label
 * @property {{id: string, name: string, base_url: string}} provider
 * @property {string} hint the secret's last characters
 * @property {boolean} disabled
 * @property {boolean} from_environment it follows DEEPSEEK_API_KEY and cannot be deleted here
 * @property {string} created_at
 * @property {string | null} last_used_at
 * @property {Failure & {at: string} | null} last_error
 *
 * @typedef {{code: string, message: string}} Failure
 * @typedef {{ok: boolean, latency_ms: number, models: string[], error: Failure | null}} Trial
 */

const PATH = "/api/admin/keys"

export class KeyCards {
  #list
  #empty = must(document, "[data-keys-empty]")
  /** @type {Map<string, Key>} */
  #keys

  /** @param {HTMLElement} list @param {Key[]} keys */
  constructor(list, keys) {
    this.#list = list
    this.#keys = new Map(keys.map((key) => [key.id, key]))
    this.#list.replaceChildren(...keys.map(card))
    this.#showEmpty()
  }

  /** @param {string} id @returns {Key} */
  get(id) {
    const key = this.#keys.get(id)
    if (!key) throw new Error(`no key ${id} on the page`)
    return key
  }

  /** The new card is brought into view. @param {Key} key */
  add(key) {
    this.#keys.set(key.id, key)
    this.#list.append(card(key))
    this.#showEmpty()
    must(this.#card(key.id), "[data-test]").focus()
  }

  /** The card is drawn anew; what a test said stays, and so does the focus. @param {Key} key */
  update(key) {
    const before = this.#card(key.id)
    const after = card(key)
    slot(after, "result").replaceChildren(...slot(before, "result").childNodes)
    if (slot(after, "result").childElementCount) slot(after, "problem").hidden = true // the test says it, and later
    const hadFocus = before.contains(document.activeElement)
    this.#keys.set(key.id, key)
    before.replaceWith(after)
    if (hadFocus) must(after, "[data-menu-button]").focus()
  }

  /** @param {string} id */
  remove(id) {
    this.#card(id).remove()
    this.#keys.delete(id)
    this.#showEmpty()
  }

  /** @param {string} id */
  async test(id) {
    const button = must(this.#card(id), "[data-test]")
    if (button.getAttribute("aria-busy") === "true") return
    button.setAttribute("aria-busy", "true")
    slot(this.#card(id), "result").textContent = t("js.admin.testing")
    try {
      const trial = await api.post(`${PATH}/${id}/test`)
      slot(this.#card(id), "result").replaceChildren(resultOf(trial))
      await this.#refresh(id)
    } catch (error) {
      slot(this.#card(id), "result").replaceChildren()
      throw error
    } finally {
      button.removeAttribute("aria-busy")
    }
  }

  /** What the test found is noted on the key as well. @param {string} id */
  async #refresh(id) {
    const { keys } = await api.get(PATH)
    const key = keys.find((/** @type {Key} */ found) => found.id === id)
    if (key) this.update(key)
  }

  /** @param {string} id */
  #card(id) {
    return must(this.#list, `[data-id="${id}"]`)
  }

  #showEmpty() {
    this.#empty.hidden = this.#keys.size > 0
  }
}

/** @param {Key} key */
function card(key) {
  const { id, label, provider, hint, disabled, last_used_at: used, last_error: problem } = key
  const element = fromTemplate("key-template", {
    label,
    provider: provider.name,
    address: provider.base_url,
    hint: `••••${hint}`,
    used: used ? formatAgo(used) : t("js.admin.never"),
    created: formatDateTime(key.created_at),
    state: stateOf(key),
  })
  element.dataset.id = id
  slot(element, "result").replaceChildren()
  slot(element, "environment").hidden = !key.from_environment
  slot(element, "state").classList.toggle("badge--danger", !disabled && problem !== null)
  slot(element, "state").classList.toggle("badge--ok", !disabled && problem === null)
  slot(element, "problem").hidden = !problem
  if (problem) fill(element, { "problem-text": t("js.admin.failed_at", { reason: reasonOf(problem), ago: formatAgo(problem.at) }) })
  must(element, "[data-menu-button]").setAttribute("aria-label", t("js.admin.actions_for", { name: label }))
  must(element, "[data-test]").setAttribute("aria-label", t("js.admin.test_key", { name: label }))
  return element
}

/** @param {Key} key */
function stateOf({ disabled, last_error: problem }) {
  if (disabled) return t("js.admin.disabled")
  return t(problem ? "js.admin.failing" : "js.admin.enabled")
}

/** @param {Trial} trial */
function resultOf({ ok, latency_ms: latency, models, error }) {
  const text = ok
    ? t("js.admin.test_ok", { latency: formatSeconds(latency), count: formatNumber(models.length) })
    : t("js.admin.test_failed", { reason: error ? reasonOf(error) : "" })
  const element = fromTemplate("key-result-template", { text })
  element.classList.add(ok ? "notice--ok" : "notice--danger")
  slot(element, "models").hidden = models.length === 0
  slot(element, "names").append(...models.map(modelItem))
  return element
}

/** What an administrator can do about it, where we know; the server's sentence otherwise. @param {Failure} failure */
function reasonOf({ code, message }) {
  const key = `js.admin.key_error.${code}`
  const words = t(key)
  return words === key ? message : words
}

/** @param {string} name */
function modelItem(name) {
  const item = document.createElement("li")
  item.textContent = name
  return item
}
