// @ts-check
/** Entry of the settings: what the site is called, its colour, the language it greets in, who may register, who searches the web, for how long what is said is kept, and what it announces. */
import { showDirectories } from "app/admin/directories.js"
import { showIdentityProviders } from "app/admin/identity-providers.js"
import { LogoForm } from "app/admin/logo-form.js"
import { RegistrationForm } from "app/admin/registration-form.js"
import { RetentionForm } from "app/admin/retention-form.js"
import { offerSharing } from "app/admin/sharing-form.js"
import { WebSearchForm } from "app/admin/web-search-form.js"
import { api } from "app/api.js"
import { formatDate, formatDays, t } from "app/i18n.js"
import { confirmDialog, fill, fromTemplate, must, onSubmit, openDialog, pageState, slot, tell, toast } from "app/ui.js"

/**
 * @typedef {{id: string, text: string, tone: "info" | "warning", state: "planned" | "shown" | "over", first: string, last: string | null}} Announcement
 * @typedef {{name: string | null, locale: string | null, accent: string | null, logo: string | null}} Site
 */

const PATH = "/api/admin/announcements"
const BADGES = /** @type {const} */ ({ planned: "badge--warn", shown: "badge--ok", over: "badge--off" })
const list = must(document, "[data-announcements]")
const form = /** @type {HTMLFormElement} */ (must(document, "[data-announcement-form]"))
const siteForm = /** @type {HTMLFormElement} */ (must(document, "[data-site-form]"))
/** @type {Map<string, Announcement>} */
const known = new Map()
/** The one that the form is open for. @type {Announcement | undefined} */
let edited

/** @type {{site: Site, retention: import("app/admin/retention-form.js").Retention, sharing: string, web_search: import("app/admin/web-search-form.js").WebSearch, announcements: Announcement[], registration: import("app/admin/registration-form.js").Terms, groups: {id: string, name: string}[], identity: import("app/admin/identity-providers.js").Standing, directories: import("app/admin/directories.js").Directory[]}} */
const state = pageState("admin-state")
for (const announcement of state.announcements) known.set(announcement.id, announcement)
showSite(state.site)
show()
new LogoForm(state.site.logo)
new RegistrationForm(state.registration, state.groups)
new RetentionForm(state.retention, state.groups)
offerSharing(state.sharing)
new WebSearchForm(state.web_search)
showIdentityProviders(state.identity, state.groups)
showDirectories(state.directories, state.groups)

must(document, "[data-announce]").addEventListener("click", () => edit())
list.addEventListener("click", ({ target }) => {
  const pressed = /** @type {Element} */ (target)
  const row = pressed.closest("[data-id]")
  const announcement = row instanceof HTMLElement && known.get(row.dataset.id ?? "")
  if (!announcement) return
  if (pressed.closest("[data-edit]")) edit(announcement)
  if (pressed.closest("[data-delete]")) remove(announcement)
})
onSubmit(siteForm, async ({ name = "", locale = "", accent = "" }) => {
  const wanted = { name: name || null, locale: locale || null, accent: accent || null }
  showSite(await api.put("/api/admin/settings/site", wanted))
  toast(t("js.admin.settings_saved"))
})
onSubmit(form, async ({ text, tone, first, last }) => {
  const wanted = { text, tone, first: first || null, last: last || null }
  const kept = edited ? await api.put(`${PATH}/${edited.id}`, wanted) : await api.post(PATH, wanted)
  form.closest("dialog")?.close()
  known.set(kept.id, kept)
  show()
  must(list, `[data-id="${kept.id}"] [data-edit]`).focus()
  toast(t(`js.admin.announcement_${kept.state}`))
})

/** @param {Site} site */
function showSite({ name, locale, accent }) {
  fieldOf(siteForm, "name").value = name ?? ""
  fieldOf(siteForm, "locale").value = locale ?? ""
  fieldOf(siteForm, "accent").value = accent ?? ""
}

/** @param {Announcement} [announcement] none: a new one */
function edit(announcement) {
  edited = announcement
  form.reset()
  fill(form, { title: t(announcement ? "js.admin.announcement_edit" : "js.admin.announcement_new") })
  if (announcement) {
    for (const name of /** @type {const} */ (["text", "tone", "first", "last"])) fieldOf(form, name).value = announcement[name] ?? ""
  }
  openDialog("announcement-dialog")
}

/** @param {Announcement} announcement */
async function remove({ id, text }) {
  const words = { title: t("js.admin.announcement_delete_title"), text, action: t("js.admin.announcement_delete") }
  if (!(await confirmDialog(words))) return
  try {
    await api.delete(`${PATH}/${id}`)
    known.delete(id)
    show()
    must(document, "[data-announce]").focus()
    toast(t("js.admin.announcement_deleted"))
  } catch (error) {
    tell(error)
  }
}

/** The newest first: ids are in the order of time. */
function show() {
  const newest = [...known.values()].sort((one, other) => (one.id < other.id ? 1 : -1))
  list.replaceChildren(...newest.map(row))
  must(document, "[data-announcements-none]").hidden = newest.length > 0
}

/** @param {Announcement} announcement */
function row({ id, text, tone, state: how, first, last }) {
  const days = last ? formatDays({ from: first, to: last }) : t("js.admin.announcement_from", { first: formatDate(first) })
  const element = fromTemplate("announcement-template", { text, days, state: t(`js.admin.announcement_is_${how}`) })
  element.dataset.id = id
  slot(element, "state").classList.add(BADGES[how])
  must(element, "[data-warning]").hidden = tone !== "warning"
  const about = text.split("\n", 1)[0] ?? ""
  must(element, "[data-edit]").setAttribute("aria-label", t("js.admin.announcement_edit_this", { text: about }))
  must(element, "[data-delete]").setAttribute("aria-label", t("js.admin.announcement_delete_this", { text: about }))
  return element
}

/** @param {HTMLFormElement} owner @param {string} name @returns {HTMLInputElement} */
function fieldOf(owner, name) {
  return /** @type {HTMLInputElement} */ (owner.elements.namedItem(name))
}
