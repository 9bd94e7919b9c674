// @ts-check
/** The keys as cards: where each one goes, how it fares, what a test found. */
import { reasonOf } from "app/admin/key-failures.js"
import { api } from "app/api.js"
import { formatSeconds } from "app/usage/figures.js"
import { formatAgo, formatDateTime, formatMoney, formatNumber, formatPercent, formatTime, t } from "app/i18n.js"
import { fill, fromTemplate, must, slot } from "app/ui.js"

/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} label
 * @property {{id: string, name: string, base_url: string, currency: string, priority: number, balance_offered: boolean | null}} provider
 * @property {string} hint the secret's last characters
 * @property {"ready" | "full" | "benched" | "due" | "probing" | "disabled"} state
 * @property {number} priority
 * @property {number} weight
 * @property {number | null} max_concurrent
 * @property {string | null} account
 * @property {number | null} low_balance_micros
 * @property {Failure & {since: string, until: string} | null} bench
 * @property {number} live
 * @property {{requests: number, failures: number, duration_ms: number | null, first_token_ms: number | null}} day
 * @property {boolean} disabled
 * @property {boolean} from_environment it follows DEEPSEEK_API_KEY and cannot be deleted here
 * @property {{available: boolean, sums: Sum[], other_currency: string | null, at: string} | null} balance
 * @property {string} created_at
 * @property {string | null} last_used_at
 * @property {Failure & {at: string, detail: string | null} | null} last_error
 *
 * @typedef {{code: string, message: string}} Failure
 * @typedef {{currency: string, total_micros: number, granted_micros: number}} Sum
 * @typedef {{ok: boolean, latency_ms: number, models: string[], error: Failure | null}} Trial
 */

const PATH = "/api/admin/keys"
const CONTROLS = ["data-test", "data-clear-bench", "data-menu-button"]
const FOR_ADMINISTRATORS = new Set(["upstream_key_refused", "upstream_no_balance"])
const BADGES = /** @type {const} */ ({
  ready: "badge--ok",
  full: "badge--warn",
  benched: "badge--danger",
  due: "badge--warn",
  probing: "badge--warn",
  disabled: "badge--off",
  unused: "badge--warn",
})

export class KeyCards {
  #list
  #empty = must(document, "[data-keys-empty]")
  /** @type {Map<string, Key>} */
  #keys
  /** So many came and went by the reader's own hand. */
  #changes = 0

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

  get all() {
    return [...this.#keys.values()]
  }

  /** The new card is brought into view. @param {Key} key */
  add(key) {
    this.#changes++
    const added = this.#append(key)
    if (key.last_error) slot(added, "result").append(unusedNotice(key.last_error))
    must(this.#card(key.id), "[data-test]").focus()
  }

  /** @param {Key} key */
  #append(key) {
    const added = card(key)
    this.#keys.set(key.id, key)
    this.#list.append(added)
    this.#showEmpty()
    return added
  }

  /** The card is drawn anew; what a test said stays, and so does the focus. @param {Key} key */
  update(key) {
    const before = this.#card(key.id)
    const focused = before.contains(document.activeElement) ? document.activeElement : null
    const after = card(key)
    if (key.last_used_at || !key.last_error) before.querySelector("[data-unused]")?.remove() // it is used by now
    slot(after, "result").replaceChildren(...slot(before, "result").childNodes)
    if (slot(after, "result").childElementCount) slot(after, "problem").hidden = true // the test says it, and later
    this.#keys.set(key.id, key)
    before.replaceWith(after)
    if (focused) sameControl(after, focused).focus()
  }

  /** @param {string} id */
  remove(id) {
    this.#changes++
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
      await this.#reread(id)
    } catch (error) {
      slot(this.#card(id), "result").replaceChildren()
      throw error
    } finally {
      button.removeAttribute("aria-busy")
    }
  }

  /** Draws anew what has changed, brings what others have added and takes away what they deleted, except where the reader is at work. */
  async refresh() {
    const changes = this.#changes
    /** @type {{keys: Key[]}} */
    const { keys } = await api.get(PATH)
    if (changes !== this.#changes) return // told before that
    const there = new Set(keys.map(({ id }) => id))
    for (const id of this.#keys.keys()) if (!there.has(id) && !this.#isAtWork(id)) this.remove(id)
    for (const key of keys) {
      const before = this.#keys.get(key.id)
      if (!before) this.#append(key)
      else if (JSON.stringify(before) !== JSON.stringify(key) && !this.#isAtWork(key.id)) this.update(key)
    }
  }

  /** Is the reader in its card, or something under way in it, or a dialog open that may be of it? @param {string} id */
  #isAtWork(id) {
    const card = this.#card(id)
    const isUnderWay = card.querySelector('[aria-expanded="true"], [aria-busy="true"]') || document.querySelector("dialog[open]")
    return card.contains(document.activeElement) || isUnderWay !== null
  }

  /** What the test found is noted on the key as well. @param {string} id */
  async #reread(id) {
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

/** The control of the new card that is what had the focus in the old one. @param {HTMLElement} card @param {Element} focused */
function sameControl(card, focused) {
  if (card.contains(focused)) return /** @type {HTMLElement} */ (focused) // what a test said has moved over
  const name = CONTROLS.find((each) => focused.hasAttribute(each)) ?? ""
  const same = name ? must(card, `[${name}]`) : null
  return same && !same.closest("[hidden]") ? same : must(card, "[data-menu-button]")
}

/** @param {Key} key */
function card(key) {
  const { id, label, provider, hint, last_used_at: used } = key
  const state = key.state === "ready" && key.last_error && !used ? "unused" : key.state // added, and not let in yet
  const element = fromTemplate("key-template", {
    label,
    provider: provider.name,
    address: provider.base_url,
    hint: `••••${hint}`,
    place: placeOf(key),
    live: liveOf(key),
    day: dayOf(key),
    balance: balanceOf(key),
    used: used ? formatAgo(used) : t("js.admin.never"),
    created: formatDateTime(key.created_at),
    state: t(`js.admin.key_state_${state}`),
  })
  element.dataset.id = id
  slot(element, "result").replaceChildren()
  for (const name of ["balance", "balance-name"]) slot(element, name).hidden = !key.balance
  slot(element, "environment").hidden = !key.from_environment
  slot(element, "state").classList.add(BADGES[state])
  showBench(element, key)
  showCurrency(element, key)
  must(element, "[data-menu-button]").setAttribute("aria-label", t("js.admin.actions_for", { name: label }))
  must(element, "[data-test]").setAttribute("aria-label", t("js.admin.test_key", { name: label }))
  must(element, "[data-clear-bench]").setAttribute("aria-label", t("js.admin.clear_bench_of", { name: label }))
  return element
}

/** Why the key rests, or else what it met last. @param {HTMLElement} element @param {Key} key */
function showBench(element, { state, bench, last_error: problem }) {
  const rests = bench !== null && state !== "disabled"
  slot(element, "bench").hidden = !rests
  slot(element, "bench").classList.add(FOR_ADMINISTRATORS.has(bench?.code ?? "") ? "notice--danger" : "notice--warn")
  slot(element, "problem").hidden = rests || !problem
  if (rests) {
    const until = { reason: reasonOf(bench), since: formatTime(bench.since), until: formatTime(bench.until) }
    fill(element, { "bench-text": t(state === "benched" ? "js.admin.benched_until" : "js.admin.benched_due", until) })
  }
  if (problem) fill(element, { "problem-text": t("js.admin.failed_at", { reason: reasonOf(problem), ago: formatAgo(problem.at) }) })
  const detail = slot(element, rests ? "bench-detail" : "problem-detail")
  detail.textContent = problem?.detail ?? ""
  detail.hidden = !problem?.detail
}

/** Where the account has no money in the currency of its bookings, they are not its bill. @param {HTMLElement} element @param {Key} key */
function showCurrency(element, { balance, provider, from_environment: follows }) {
  const other = balance?.other_currency ?? null
  slot(element, "currency").hidden = other === null
  if (other === null) return
  const way = t(follows ? "js.admin.currency_of_environment" : "js.admin.currency_anew", { other })
  fill(element, { "currency-text": t("js.admin.currency_differs", { other, booked: provider.currency, way }) })
}

/** @param {Key} key */
function placeOf({ priority, weight, account, provider }) {
  const usual = provider.priority === 0 && priority === 0 && weight === 1
  const words = [usual ? t("js.admin.place_usual") : t("js.admin.place_of", { provider: formatNumber(provider.priority), priority: formatNumber(priority), weight: formatNumber(weight) })]
  if (account) words.push(t("js.admin.account_of", { account }))
  return words.join(t("js.admin.separator"))
}

/** @param {Key} key */
function liveOf({ live, max_concurrent: cap }) {
  return cap === null ? formatNumber(live) : t("js.admin.live_of", { live: formatNumber(live), cap: formatNumber(cap) })
}

/** @param {Key} key */
function balanceOf({ balance }) {
  if (!balance) return ""
  const sums = balance.sums.map(sumOf).join(t("js.admin.separator"))
  const words = balance.available ? sums : t("js.admin.balance_empty", { sums })
  return t("js.admin.balance_of", { sums: words, ago: formatAgo(balance.at) })
}

/** @param {Sum} sum */
function sumOf({ currency, total_micros: micros, granted_micros: granted }) {
  const total = formatMoney(micros, currency)
  return granted ? t("js.admin.balance_granted", { total, granted: formatMoney(granted, currency) }) : total
}

/** @param {Key} key */
function dayOf({ day }) {
  if (!day.requests) return t("js.admin.day_none")
  const words = [t("js.admin.day_requests", { count: formatNumber(day.requests), share: formatPercent(day.failures / day.requests) })]
  if (day.first_token_ms !== null) words.push(t("js.admin.day_first", { time: formatSeconds(day.first_token_ms) }))
  if (day.duration_ms !== null) words.push(t("js.admin.day_whole", { time: formatSeconds(day.duration_ms) }))
  return words.join(t("js.admin.separator"))
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

/** A key that was kept although its provider did not let it in. @param {Failure} failure */
function unusedNotice(failure) {
  const element = fromTemplate("key-result-template", { text: t("js.admin.key_unused", { reason: reasonOf(failure) }) })
  element.classList.add("notice--danger")
  element.dataset.unused = ""
  slot(element, "models").hidden = true
  return element
}

/** @param {string} name */
function modelItem(name) {
  const item = document.createElement("li")
  item.textContent = name
  return item
}
