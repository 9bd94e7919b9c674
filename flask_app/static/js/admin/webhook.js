// @ts-check
/** The card of the webhook: its address, its secret, a test. */
import { showResult } from "app/admin/delivery.js"
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { confirmDialog, fill, must, onSubmit, openDialog, tell, toast } from "app/ui.js"

const PATH = "/api/admin/warnings/webhook"

export class Webhook {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-webhook-form]"))
  #result = must(document, "[data-webhook-result]")
  #setter = must(document, "[data-set-webhook]")

  /** @param {{address: string | null} | null} webhook */
  constructor(webhook) {
    this.#show(webhook)
    this.#setter.addEventListener("click", () => {
      this.#form.reset()
      openDialog("webhook-dialog")
    })
    onSubmit(this.#form, (values) => this.#point(values.url ?? ""))
    must(document, "[data-test-webhook]").addEventListener("click", (event) => this.#attempt(event, () => this.#test()))
    must(document, "[data-renew-secret]").addEventListener("click", (event) => this.#attempt(event, () => this.#renew()))
    must(document, "[data-remove-webhook]").addEventListener("click", (event) => this.#attempt(event, () => this.#remove()))
    must(document, "#secret-dialog").addEventListener("close", () => fill(document, { secret: "" }))
  }

  /** @param {string} url */
  async #point(url) {
    const { webhook, secret } = await api.put(PATH, { url })
    this.#form.closest("dialog")?.close()
    this.#show(webhook)
    if (secret) showSecret(secret)
    else toast(t("js.warnings.webhook_saved"))
  }

  async #test() {
    this.#result.replaceChildren()
    showResult(this.#result, await api.post(`${PATH}/test`), t("js.warnings.webhook_sent"))
  }

  async #renew() {
    const words = { title: t("js.warnings.renew_title"), text: t("js.warnings.renew_text"), action: t("js.warnings.renew_action") }
    if (await confirmDialog(words)) showSecret((await api.post(`${PATH}/secret`)).secret)
  }

  async #remove() {
    const words = { title: t("js.warnings.remove_title"), text: t("js.warnings.remove_text"), action: t("js.admin.delete") }
    if (!(await confirmDialog(words))) return
    await api.delete(PATH)
    this.#show(null)
    this.#setter.focus()
    toast(t("js.warnings.webhook_removed"))
  }

  /** @param {{address: string | null} | null} webhook */
  #show(webhook) {
    const address = webhook?.address ?? null
    must(document, "[data-webhook-none]").hidden = webhook !== null
    must(document, "[data-webhook-at]").hidden = address === null
    must(document, "[data-webhook-at]").textContent = t("js.warnings.webhook_at", { address: address ?? "" })
    must(document, "[data-webhook-unreadable]").hidden = webhook === null || address !== null
    must(document, "[data-webhook-acts]").hidden = address === null
    must(document, "[data-remove-webhook]").hidden = webhook === null
    this.#setter.hidden = webhook !== null && address === null
    this.#setter.textContent = t(webhook ? "js.warnings.change_webhook" : "js.warnings.set_webhook")
    this.#result.replaceChildren()
  }

  /** @param {Event} event @param {() => Promise<void>} act */
  async #attempt({ currentTarget: button }, act) {
    if (!(button instanceof HTMLElement) || button.getAttribute("aria-busy") === "true") return
    button.setAttribute("aria-busy", "true")
    try {
      await act()
    } catch (error) {
      tell(error)
    } finally {
      button.removeAttribute("aria-busy")
    }
  }
}

/** No page keeps it. @param {string} secret */
function showSecret(secret) {
  fill(must(document, "#secret-dialog"), { secret })
  openDialog("secret-dialog")
}
