// @ts-check
/** The site's own logo, in the settings: a picture is chosen, shown and taken away. */
import { api } from "app/api.js"
import { t } from "app/i18n.js"
import { must, onSubmit, tell, toast } from "app/ui.js"

const PATH = "/api/admin/settings/logo"

export class LogoForm {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-logo-form]"))
  #picture = /** @type {HTMLImageElement} */ (must(this.#form, "[data-logo]"))
  #remove = must(this.#form, "[data-logo-remove]")

  /** @param {string | null} logo its address */
  constructor(logo) {
    this.#show(logo)
    onSubmit(this.#form, async () => {
      const { files } = /** @type {HTMLInputElement} */ (this.#form.elements.namedItem("file"))
      const [file] = files ?? []
      if (!file) return
      const { logo: chosen } = await api.put(PATH, { content: await inBase64(file) })
      this.#form.reset()
      this.#show(chosen)
      toast(t("js.admin.settings_saved"))
    })
    this.#remove.addEventListener("click", () => this.#takeAway())
  }

  async #takeAway() {
    try {
      this.#show((await api.delete(PATH)).logo)
      toast(t("js.admin.settings_saved"))
    } catch (error) {
      tell(error)
    }
  }

  /** @param {string | null} logo */
  #show(logo) {
    if (logo) this.#picture.src = logo
    this.#picture.hidden = this.#remove.hidden = !logo
    must(this.#form, "[data-logo-none]").hidden = !!logo
  }
}

/** @param {Blob} file @returns {Promise<string>} */
function inBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener("load", () => resolve(String(reader.result).replace(/^[^,]*,/, "")))
    reader.addEventListener("error", () => reject(reader.error))
    reader.readAsDataURL(file)
  })
}
