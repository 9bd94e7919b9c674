// @ts-check
/** Who waits to be let in, on the page of people: into which group, or not at all. */
import { withParameter } from "app/addresses.js"
import { api } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { onMore } from "app/more.js"
import { confirmDialog, fromTemplate, must, tell, toast } from "app/ui.js"

/**
 * @typedef {{id: string, username: string, email: string | null, address: string, created_at: string}} Registration
 * @typedef {{registrations: Registration[], next: string | null}} Page
 */

const PATH = "/api/admin/registrations"

export class Registrations {
  #section = must(document, "[data-waiting]")
  #list = must(document, "[data-registrations]")
  /** @type {Map<string, Registration>} */
  #known = new Map()
  /** @type {string | null} */
  #next = null
  #groups
  #group
  #added

  /** @param {Page} page @param {{groups: () => HTMLOptionElement[], group: string, added: (person: any) => void}} terms `group`: where they come in unless another is chosen */
  constructor(page, { groups, group, added }) {
    this.#groups = groups
    this.#group = group
    this.#added = added
    this.#append(page)
    onMore(must(document, "[data-registrations-more]"), async () => this.#append(await api.get(withParameter(PATH, "after", this.#next ?? ""))))
    this.#list.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-accept], [data-refuse]")
      const row = button?.closest("[data-id]")
      const registration = row instanceof HTMLElement && this.#known.get(row.dataset.id ?? "")
      if (!registration || event.detail > 1) return // a second press meets whoever has come up below the pointer
      this.#decide(registration, /** @type {HTMLElement} */ (row), /** @type {HTMLElement} */ (button))
    })
  }

  /** @param {Registration} registration @param {HTMLElement} row @param {HTMLElement} button that was pressed */
  async #decide(registration, row, button) {
    if (button.getAttribute("aria-busy") === "true") return
    button.setAttribute("aria-busy", "true")
    try {
      await (button.matches("[data-accept]") ? this.#accept(registration, row) : this.#refuse(registration))
    } catch (error) {
      tell(error)
    } finally {
      button.removeAttribute("aria-busy")
    }
  }

  /** @param {Registration} registration @param {HTMLElement} row */
  async #accept({ id, username: name }, row) {
    const { value: group_id } = /** @type {HTMLSelectElement} */ (must(row, "select"))
    const { user } = await api.post(`${PATH}/${id}/accept`, { group_id })
    this.#remove(id)
    this.#added(user)
    toast(t("js.admin.registration_accepted", { name, group: user.group.name }))
  }

  /** @param {Registration} registration */
  async #refuse({ id, username: name }) {
    const words = { title: t("js.admin.registration_refuse_title", { name }), text: t("js.admin.registration_refuse_text"), action: t("js.admin.registration_refuse") }
    if (!(await confirmDialog(words))) return
    await api.delete(`${PATH}/${id}`)
    this.#remove(id)
    toast(t("js.admin.registration_refused", { name }))
  }

  /** The focus goes to the next one, not to its button: that may be held down. @param {string} id */
  #remove(id) {
    const row = this.#list.querySelector(`[data-id="${id}"]`)
    const neighbour = row?.nextElementSibling ?? row?.previousElementSibling
    row?.remove()
    this.#known.delete(id)
    for (const mark of document.querySelectorAll("[data-people-waiting]")) countDown(/** @type {HTMLElement} */ (mark))
    this.#showWhetherAnyWait()
    const after = neighbour ?? (this.#next ? must(document, "[data-registrations-more]") : document.querySelector("#user-search"))
    if (after instanceof HTMLElement) after.focus({ preventScroll: true })
  }

  /** @param {Page} page */
  #append({ registrations, next }) {
    this.#next = next
    const added = registrations.filter(({ id }) => !this.#known.has(id))
    for (const registration of added) this.#known.set(registration.id, registration)
    this.#list.append(...added.map((registration) => this.#row(registration)))
    must(document, "[data-registrations-foot]").hidden = !next
    this.#showWhetherAnyWait()
  }

  #showWhetherAnyWait() {
    this.#section.hidden = !this.#known.size && !this.#next
  }

  /** @param {Registration} registration */
  #row({ id, username: name, email, address, created_at: asked }) {
    const element = fromTemplate("registration-template", { name, email: email ?? "", asked: t("js.admin.registration_asked", { time: formatDateTime(asked), address }) })
    element.dataset.id = id
    const select = /** @type {HTMLSelectElement} */ (must(element, "select"))
    select.replaceChildren(...this.#groups())
    select.value = this.#group
    select.setAttribute("aria-label", t("js.admin.registration_group", { name }))
    must(element, "[data-accept]").setAttribute("aria-label", t("js.admin.registration_accept", { name }))
    must(element, "[data-refuse]").setAttribute("aria-label", t("js.admin.registration_refuse_this", { name }))
    return element
  }
}

/** One less waits; who is counted elsewhere on the page is told so too. @param {HTMLElement} mark */
function countDown(mark) {
  const count = must(mark, "[data-count]")
  const left = Number(count.textContent) - 1
  count.textContent = String(left)
  if (left < 1) mark.remove()
}
