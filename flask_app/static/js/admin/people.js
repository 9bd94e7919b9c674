// @ts-check
/** The list of people: searched at the server, paged, one row each. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { filterOf, wanted } from "app/filters.js"
import { formatAgo, formatDateTime, formatNumber, t } from "app/i18n.js"
import { announce, fromTemplate, must, slot, tell } from "app/ui.js"

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} username
 * @property {"admin" | "member"} role
 * @property {boolean} owner
 * @property {{id: string, name: string}} group
 * @property {boolean} disabled
 * @property {boolean} online
 * @property {boolean} second_step
 * @property {number} passkeys
 * @property {string} created_at
 * @property {string | null} last_sign_in_at
 * @property {string | null} last_seen_at
 */

const PATH = "/api/admin/users"
const PAUSE = 250
const FILTERS = ["q", "state", "group"]

export class People {
  #rows = must(document, "[data-user-rows]")
  #none = must(document, "[data-users-none]")
  #foot = must(document, "[data-users-foot]")
  #more = must(document, "[data-users-more]")
  #search = /** @type {HTMLFormElement} */ (must(document, "[data-search]"))
  /** Who is signed in here. */
  #self = must(document, "[data-self]").dataset.self
  isOwner = "owner" in must(document, "[data-self]").dataset
  /** @type {Map<string, Person>} */
  #people = new Map()
  /** @type {string | null} */
  #next = null
  /** Only the newest question's answer counts. */
  #asked = 0
  #timer = 0

  /** @param {{users: Person[], next: string | null, groups: {id: string, name: string}[]}} page */
  constructor(page) {
    filterOf(this.#search, "group").append(...page.groups.map(({ id, name }) => new Option(name, id)))
    for (const name of FILTERS) filterOf(this.#search, name).value = wanted.get(name) ?? ""
    this.#append(page)
    this.#more.addEventListener("click", () => this.#loadMore())
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#find(), PAUSE)
    })
    this.#search.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#find()
    })
  }

  /** @param {string} id @returns {Person} */
  get(id) {
    const person = this.#people.get(id)
    if (!person) throw new Error(`no person ${id} on the page`)
    return person
  }

  /** @param {Person} person */
  isSelf({ id }) {
    return id === this.#self
  }

  /** May the reader disable them, or help them? @param {Person} person */
  isBelow(person) {
    return !this.isSelf(person) && !person.owner && (this.isOwner || person.role === "member")
  }

  /** Owners delete anybody else. @param {Person} person */
  mayDelete(person) {
    return !this.isSelf(person) && (this.isOwner || person.role === "member")
  }

  /** Someone new stands at the top, where they are seen. @param {Person} person */
  add(person) {
    this.#people.set(person.id, person)
    this.#rows.prepend(this.#row(person))
    this.#none.hidden = true
  }

  /** Whoever is not listed any more, for another search has come in between, has no row to be drawn anew. @param {Person} person */
  update(person) {
    const before = this.#rows.querySelector(`[data-id="${person.id}"]`)
    if (!before) return
    const after = this.#row(person)
    this.#people.set(person.id, person)
    before.replaceWith(after)
    must(after, "[data-menu-button]").focus()
  }

  /** The focus moves on to who stands in the place of whoever has gone. @param {Person} person */
  remove({ id }) {
    const row = this.#rows.querySelector(`[data-id="${id}"]`)
    const near = row?.nextElementSibling ?? row?.previousElementSibling
    row?.remove()
    this.#people.delete(id)
    this.#none.hidden = this.#people.size > 0
    const field = filterOf(this.#search, "q")
    const focused = near?.querySelector("[data-menu-button]") ?? field
    if (row && focused instanceof HTMLElement) focused.focus()
  }

  async #find() {
    clearTimeout(this.#timer)
    history.replaceState(null, "", this.#asking(location.pathname))
    await this.#load(null)
  }

  /** The button may go: the focus moves on to the first person who was not there. */
  async #loadMore() {
    const last = this.#rows.lastElementChild
    await this.#load(this.#next)
    const link = last?.nextElementSibling?.querySelector("a")
    link?.focus({ preventScroll: true })
  }

  /** @param {string | null} before where the page begins; null is the start of another search */
  async #load(before) {
    const asked = ++this.#asked
    const path = this.#asking(PATH)
    try {
      const page = await api.get(before ? withParameter(path, "before", before) : path)
      if (asked !== this.#asked) return
      if (!before) this.#clear()
      this.#append(page)
      announce(t(page.next ? "js.admin.users_found_more" : "js.admin.users_found", { count: formatNumber(this.#people.size) }))
    } catch (error) {
      tell(error)
    }
  }

  /** With what is looked for. @param {string} path */
  #asking(path) {
    return FILTERS.reduce((found, name) => {
      const value = filterOf(this.#search, name).value.trim()
      return value ? withParameter(found, name, value) : found
    }, path)
  }

  #clear() {
    this.#people.clear()
    this.#rows.replaceChildren()
  }

  /** @param {{users: Person[], next: string | null}} page */
  #append({ users, next }) {
    this.#next = next
    for (const person of users.filter(({ id }) => !this.#people.has(id))) {
      this.#people.set(person.id, person)
      this.#rows.append(this.#row(person))
    }
    this.#none.hidden = this.#people.size > 0
    this.#foot.hidden = !next
  }

  /** @param {Person} person */
  #row(person) {
    const { id, username: name, role, owner, group } = person
    const row = fromTemplate("user-template", {
      name,
      initial: [...name][0] ?? "",
      role: t(owner ? "js.admin.role_owner" : `js.admin.role_${role}`),
      group: group.name,
      state: stateOf(person),
      created: formatDateTime(person.created_at),
      "signed-in": person.last_sign_in_at ? formatDateTime(person.last_sign_in_at) : t("js.admin.never"),
    })
    row.dataset.id = id
    slot(row, "self").hidden = !this.isSelf(person)
    slot(row, "second-step").hidden = !person.second_step
    slot(row, "passkeys").hidden = !person.passkeys
    slot(row, "role").classList.toggle("badge--accent", role === "admin")
    slot(row, "state").className = stateClass(person)
    slot(row, "state").title = person.last_seen_at ? formatDateTime(person.last_seen_at) : ""
    const link = /** @type {HTMLAnchorElement} */ (slot(row, "name"))
    link.href = withParameter("/admin/records", "user", id)
    must(row, "[data-menu-button]").setAttribute("aria-label", t("js.admin.actions_for", { name }))
    return row
  }
}

/** @param {Pick<Person, "disabled" | "online" | "last_seen_at">} person */
export function stateOf({ disabled, online, last_seen_at: seen }) {
  if (disabled) return t("js.admin.disabled")
  if (online) return t("js.admin.online_now")
  return seen ? t("js.admin.seen", { ago: formatAgo(seen) }) : t("js.admin.never_seen")
}

/** What asks for attention is a badge. @param {Pick<Person, "disabled" | "online">} person */
export function stateClass({ disabled, online }) {
  if (disabled) return "badge badge--danger"
  return online ? "badge badge--ok badge--dot" : "person__seen"
}
