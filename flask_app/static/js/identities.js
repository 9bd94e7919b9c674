// @ts-check
/** The card of the identities that sign one in: linked at their provider, unlinked here. */
import { ApiError, api } from "app/api"
import { clearFieldErrors, showFieldError } from "app/field-errors"
import { formatAgo, formatDateTime, sentence, t } from "app/i18n"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, slot, toast } from "app/ui"

/**
 * @typedef {{id: string, provider: string, shown: string, last_used_at: string}} Linked
 * @typedef {{identities: Linked[], offered: {slug: string, name: string}[], asks_password: boolean}} Standing
 */

const PATH = "/api/me/identities"

export class IdentitiesCard {
  #card = must(document, "[data-identities]")
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-identity-form]"))
  #failure = must(this.#card, "[data-identity-error]")
  /** The provider that is to be linked. */
  #slug = ""

  /** @param {Standing} standing */
  constructor(standing) {
    this.#show(standing)
    onSubmit(this.#form, async ({ identity_password: password }) => {
      clearFieldErrors(this.#form)
      try {
        await this.#depart(password)
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "wrong_password") throw error
        showFieldError(this.#form, "identity_password", sentence(error))
      }
    })
    this.#form.closest("dialog")?.addEventListener("close", () => {
      clearFieldErrors(this.#form)
      this.#form.reset()
    })
  }

  /** @param {Standing} standing */
  #show({ identities, offered, asks_password: asks }) {
    must(this.#card, "[data-linked]").replaceChildren(...identities.map((each) => this.#row(each)))
    must(this.#card, "[data-offered]").replaceChildren(...offered.map(({ slug: name, name: label }) => this.#button(name, label, asks)))
  }

  /** @param {Linked} linked */
  #row(linked) {
    const used = t("js.account.identity_used", { time: formatAgo(linked.last_used_at) })
    const row = fromTemplate("identity-template", { provider: linked.provider, shown: linked.shown, used })
    slot(row, "used").title = formatDateTime(linked.last_used_at)
    const button = slot(row, "unlink")
    button.setAttribute("aria-label", t("js.account.identity_unlink_this", { name: linked.provider }))
    button.addEventListener("click", () => this.#unlink(linked))
    return row
  }

  /** @param {string} slugName @param {string} name @param {boolean} asks */
  #button(slugName, name, asks) {
    const button = document.createElement("button")
    button.className = "button"
    button.type = "button"
    button.textContent = t("js.account.identity_link", { name })
    button.addEventListener("click", async () => {
      this.#slug = slugName
      if (asks) {
        fill(this.#form, { title: t("js.account.identity_link", { name }) })
        return openDialog("identity-dialog")
      }
      await this.#saying(() => this.#depart())
    })
    return button
  }

  /** @param {string} [password] */
  async #depart(password) {
    const { location: onward } = await api.post(PATH, { provider: this.#slug, password: password ?? null })
    location.assign(onward)
  }

  /** @param {Linked} linked */
  async #unlink({ id, provider: name }) {
    const words = { title: t("js.account.identity_unlink_title", { name }), text: t("js.account.identity_unlink_text"), action: t("js.account.identity_unlink") }
    if (!(await confirmDialog(words))) return
    await this.#saying(async () => {
      await api.delete(`${PATH}/${id}`)
      this.#show(await api.get(PATH))
      toast(t("js.account.identity_unlinked", { name }))
    })
  }

  /** What is wrong is said in the card. @param {() => Promise<void>} act */
  async #saying(act) {
    this.#failure.hidden = true
    try {
      await act()
    } catch (error) {
      this.#failure.textContent = sentence(error)
      this.#failure.hidden = false
    }
  }
}
