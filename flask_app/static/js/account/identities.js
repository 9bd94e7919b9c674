// @ts-check
/** The card of the identities that sign one in: linked at their provider, unlinked here. */
import { ApiError, api } from "app/api.js"
import { clearFieldErrors, showFieldError } from "app/field-errors.js"
import { formatAgo, formatDateTime, sentence, t } from "app/i18n.js"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {{slug: string, name: string}} Offered
 * @typedef {{id: string, provider: string, shown: string, last_used_at: string}} Linked
 * @typedef {{identities: Linked[], offered: Offered[], directories: Offered[], asks_password: boolean}} Standing
 */

const PATH = "/api/me/identities"

export class IdentitiesCard {
  #card = must(document, "[data-identities]")
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-identity-form]"))
  #directoryForm = /** @type {HTMLFormElement} */ (must(document, "[data-directory-link-form]"))
  #failure = must(this.#card, "[data-identity-error]")
  /** The provider that is to be linked. */
  #slug = ""

  /** @param {Standing} standing */
  constructor(standing) {
    this.#show(standing)
    onSubmit(this.#form, async ({ identity_password: password }) => {
      await besideField(this.#form, { wrong_password: "identity_password" }, () => this.#depart(password))
    })
    onSubmit(this.#directoryForm, async ({ directory_username: username, directory_password, account_password: password }) => {
      const asked = { provider: this.#slug, username, directory_password, password: password ?? null }
      const fields = { wrong_password: "account_password", wrong_directory_password: "directory_password" }
      const link = async () => this.#show(await api.post(`${PATH}/directory`, asked))
      const isDone = await besideField(this.#directoryForm, fields, link).catch((error) => this.#sayInCard(error))
      if (isDone === false) return
      this.#directoryForm.closest("dialog")?.close()
      if (isDone) toast(t("js.account.directory_linked"))
    })
    for (const form of [this.#form, this.#directoryForm]) {
      form.closest("dialog")?.addEventListener("close", () => {
        clearFieldErrors(form)
        form.reset()
      })
    }
  }

  /** @param {Standing} standing */
  #show({ identities, offered, directories, asks_password: asks }) {
    must(this.#card, "[data-linked]").replaceChildren(...identities.map((each) => this.#row(each)))
    const buttons = [...offered.map((each) => this.#button(each, () => this.#begin(each, asks))), ...directories.map((each) => this.#button(each, () => this.#ask(each)))]
    must(this.#card, "[data-offered]").replaceChildren(...buttons)
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

  /** @param {Offered} offered @param {() => void} begin */
  #button({ slug: of, name }, begin) {
    const button = document.createElement("button")
    button.className = "button"
    button.type = "button"
    button.textContent = t("js.account.identity_link", { name })
    button.addEventListener("click", () => {
      this.#slug = of
      begin()
    })
    return button
  }

  /** @param {Offered} offered @param {boolean} asks */
  async #begin({ name }, asks) {
    if (!asks) return this.#saying(() => this.#depart())
    fill(this.#form, { title: t("js.account.identity_link", { name }) })
    openDialog("identity-dialog")
  }

  /** Who is in a directory says their name and password there: it sends nobody to and fro. @param {Offered} offered */
  #ask({ name }) {
    fill(this.#directoryForm, { title: t("js.account.identity_link", { name }) })
    openDialog("directory-link-dialog")
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
      this.#fail(error)
    }
  }

  /** Nothing in the dialog mends a session that is too old. @param {unknown} error */
  #sayInCard(error) {
    if (!isTooOld(error)) throw error
    this.#fail(error)
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#failure.replaceChildren(sentence(error), ...(isTooOld(error) ? [" ", wayBack()] : []))
    this.#failure.hidden = false
  }
}

/** Who has no password proves by a new session that it is them. @param {unknown} error */
const isTooOld = (error) => error instanceof ApiError && error.code === "sign_in_again"

/** Signs out, and leads to signing in and back to this page. */
function wayBack() {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button button--small", textContent: t("js.sign_in_again") })
  button.addEventListener("click", async () => {
    try {
      await api.post("/logout")
      location.assign(`/login?next=${encodeURIComponent(location.pathname)}`)
    } catch (error) {
      tell(error)
    }
  })
  return button
}

/** Whether it was done: a refusal of one of these kinds is said beside its field. @param {HTMLFormElement} form @param {Record<string, string>} fields @param {() => Promise<void>} act */
async function besideField(form, fields, act) {
  clearFieldErrors(form)
  try {
    await act()
    return true
  } catch (error) {
    const field = error instanceof ApiError ? fields[error.code] : undefined
    if (!field || !form.elements.namedItem(field)) throw error
    showFieldError(form, field, sentence(error))
    return false
  }
}
