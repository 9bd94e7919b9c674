// @ts-check
/** What gives rights, keys or money is done by whoever has given their password lately: it is asked for again. */
import { api } from "app/api.js"
import { must, onSubmit, openDialog } from "app/ui.js"

const form = /** @type {HTMLFormElement} */ (must(document, "[data-password-again]"))
let given = false

onSubmit(form, async ({ password_again: password }) => {
  await api.post("/api/me/proof", { password })
  given = true
  form.closest("dialog")?.close()
})

/** @returns {Promise<boolean>} false where its person thinks better of it */
export function passwordGiven() {
  given = false
  const dialog = openDialog("password-again-dialog")
  return new Promise((resolve) => {
    const closed = () => {
      form.reset()
      resolve(given)
    }
    dialog.addEventListener("close", closed, { once: true })
  })
}
