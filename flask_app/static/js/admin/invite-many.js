// @ts-check
/** Many people invited by a list: a file that is chosen or lines that are pasted. What was made is shown this once. */
import { api } from "app/api.js"
import { formatNumber, t } from "app/i18n.js"
import { showOnce } from "app/shown-once.js"
import { fill, must, onSubmit, showFormError, slot } from "app/ui.js"

/** @typedef {import("app/admin/invitations.js").Invitation} Invitation */

const PATH = "/api/admin/invitations/many"

/** @param {(invitations: Invitation[]) => void} keep what was made, in the list's order */
export function offerInvitingMany(keep) {
  const form = /** @type {HTMLFormElement} */ (must(document, "[data-invite-many]"))
  const file = /** @type {HTMLInputElement} */ (must(form, "[data-many-file]"))
  file.addEventListener("change", () => read(form, file))
  onSubmit(form, async ({ people, group: group_id, days, send }) => {
    const wanted = { people, group_id, days: Number(days) }
    const made = await api.post(PATH, send === "on" ? { ...wanted, send: true } : wanted)
    form.closest("dialog")?.close()
    form.reset()
    keep(made.invitations.map((/** @type {{invitation: Invitation}} */ each) => each.invitation))
    show(made)
  })
}

/** What is in the file stands in the field, where it can be seen and mended. @param {HTMLFormElement} form @param {HTMLInputElement} file */
async function read(form, file) {
  const chosen = file.files?.[0]
  if (!chosen) return
  const field = /** @type {HTMLTextAreaElement} */ (must(form, '[name="people"]'))
  showFormError(form, "")
  try {
    field.value = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer())
  } catch {
    file.value = ""
    showFormError(form, t("js.admin.many_not_utf8"))
  }
}

/** @param {{invitations: {invitation: Invitation, token: string}[], file: string, letters: number}} made */
function show({ invitations, file, letters }) {
  const lines = invitations.map(({ invitation, token }) => `${invitation.name}\t${location.origin}/join#${token}`)
  const dialog = must(document, "#many-made-dialog")
  const more = t("js.admin.many_letters", { count: formatNumber(letters) })
  fill(dialog, { title: t("js.admin.many_made", { count: formatNumber(invitations.length) }), more })
  slot(dialog, "more").hidden = letters === 0
  showOnce("many-made-dialog", lines, new Blob([file], { type: "text/csv" }))
}
