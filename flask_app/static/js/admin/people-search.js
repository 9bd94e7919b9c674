// @ts-check
/** People by name: suggested while one is typed, and found at the end. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"

const PATH = "/api/admin/users"
const PAUSE = 250
const SUGGESTED = "20"
const PAGE = "100"

/** @typedef {{users: {id: string, username: string}[], next: string | null}} Page */

/** @param {HTMLInputElement} input @param {HTMLElement} list its <datalist> */
export function suggestPeople(input, list) {
  let timer = 0
  let asked = 0
  input.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(async () => {
      const mine = ++asked
      const page = await ask(input.value, SUGGESTED).catch(() => null) // without suggestions a name can be typed in full
      if (page && mine === asked) list.replaceChildren(...page.users.map(({ username }) => new Option(username, username)))
    }, PAUSE)
  })
}

/** Whose name it is, whole; throws ApiError. @param {string} name @returns {Promise<string | null>} */
export async function findPerson(name) {
  /** @type {Page} */
  let page = await ask(name, PAGE)
  for (;;) {
    const found = page.users.find(({ username }) => keyOf(username) === keyOf(name))
    if (found || !page.next) return found?.id ?? null
    page = await ask(name, PAGE, page.next)
  }
}

/** @param {string} name @param {string} limit @param {string} [before] @returns {Promise<Page>} */
function ask(name, limit, before = "") {
  const path = withParameter(withParameter(PATH, "q", name.trim()), "limit", limit)
  return api.get(before ? withParameter(path, "before", before) : path)
}

/** As the server compares names: by way of capitals ß is ss. @param {string} name */
const keyOf = (name) => name.trim().normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().normalize("NFKC")
