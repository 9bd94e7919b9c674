// @ts-check
/** Entry of the people: find, create, invite, change the role or the group, disable, delete, help with a lost password or device. */
import { withParameter } from "app/addresses.js"
import { Deleting } from "app/admin/deleting.js"
import { Invitations } from "app/admin/invitations.js"
import { offerInvitingMany } from "app/admin/invite-many.js"
import { showLinkOnce } from "app/admin/link-once.js"
import { Ownership } from "app/admin/ownership.js"
import { People } from "app/admin/people.js"
import { Registrations } from "app/admin/registrations.js"
import { sendMoving } from "app/admin/retention-asked.js"
import { RowMenu } from "app/admin/row-menu.js"
import { api } from "app/api.js"
import { formatDateTime, t } from "app/i18n.js"
import { confirmDialog, fill, must, onSubmit, openDialog, pageState, tell, toast } from "app/ui.js"

/** @typedef {import("app/admin/people.js").Person} Person */

const state = pageState("admin-state")
const people = new People(state)
const menu = new RowMenu(must(document, "[data-user-rows]"))
const ownership = people.isOwner ? new Ownership({ isSelf: (person) => people.isSelf(person), updated: (person) => people.update(person) }) : null

const deleting = new Deleting((person) => people.remove(person))

/** @type {Record<string, (person: Person) => Promise<void>>} */
const acts = {
  link: makeLink,
  role: changeRole,
  ownership: async (person) => ownership?.ask(person),
  group: askGroup,
  disable: toggleDisabled,
  delete: async (person) => deleting.ask(person),
  "second-step": turnOffSecondStep,
  passkeys: removePasskeys,
  records: async () => {},
  budgets: async () => {},
  audit: async () => {},
}

menu.addEventListener("open", (event) => {
  const person = people.get(/** @type {CustomEvent} */ (event).detail.id)
  menu.item("records").setAttribute("href", withParameter("/admin/records", "user", person.id))
  menu.item("budgets").setAttribute("href", withParameter("/admin/budgets", "person", person.id))
  menu.item("audit").setAttribute("href", withParameter("/admin/audit", "about", person.id))
  const isTouchable = people.isSelf(person) || people.isBelow(person)
  const stepsDown = people.isSelf(person) && !person.owner
  menu.item("link").hidden = person.disabled || !isTouchable
  menu.item("role").hidden = !stepsDown && !(people.isOwner && !person.owner)
  menu.item("ownership").hidden = !people.isOwner || person.disabled
  menu.item("group").hidden = !isTouchable
  menu.item("second-step").hidden = !person.second_step || !people.isBelow(person) // one's own takes a code
  menu.item("passkeys").hidden = !person.passkeys || !people.isBelow(person) // one's own take the password
  menu.item("disable").hidden = !people.isBelow(person) // nobody locks themselves out by a slip
  menu.item("delete").hidden = !people.mayDelete(person) // one's own takes the password
  menu.item("disable").classList.toggle("menu__item--danger", !person.disabled)
  fill(menu.item("role"), { "role-act": t(person.role === "admin" ? "js.admin.make_member" : "js.admin.make_admin") })
  fill(menu.item("ownership"), { "ownership-act": t(person.owner ? "js.admin.ownership_end" : "js.admin.ownership_give") })
  fill(menu.item("disable"), { "disable-act": t(person.disabled ? "js.admin.enable" : "js.admin.disable") })
})

menu.addEventListener("act", async (event) => {
  const { id, act } = /** @type {CustomEvent} */ (event).detail
  try {
    await acts[act]?.(people.get(id))
  } catch (error) {
    tell(error)
  }
})

const form = /** @type {HTMLFormElement} */ (must(document, "[data-new-user]"))
form.addEventListener("change", showPasswordPart)
form.closest("dialog")?.addEventListener("close", () => {
  form.reset()
  showPasswordPart()
})
for (const select of document.querySelectorAll("[data-group-choice]")) select.replaceChildren(...groupOptions())
const invitations = new Invitations(state.invited)
offerInvitingMany((made) => invitations.add(made))
new Registrations(state.waiting, { groups: groupOptions, group: state.newcomers, added: (person) => people.add(person) })
onSubmit(form, async ({ username, role, group: group_id, way, password }) => {
  const body = { username, role, group_id, ...(way === "password" ? { password } : {}) }
  const { user, reset_token: token, expires_at: until } = await api.post("/api/admin/users", body)
  form.closest("dialog")?.close()
  people.add(user)
  if (token) showLink(user, token, until)
  else toast(t("js.admin.user_created", { name: user.username }))
})
showPasswordPart()

/** @type {Person | null} */
let moved = null
const moveForm = /** @type {HTMLFormElement} */ (must(document, "[data-move-user]"))
onSubmit(moveForm, async ({ group: group_id }) => {
  if (!moved) return
  const { id } = moved
  const person = await sendMoving((agreed) => change(id, { group_id, ...agreed }))
  if (!person) return
  const { group, username: name } = person
  moveForm.closest("dialog")?.close()
  toast(t("js.admin.user_moved", { name, group: group.name }))
})

function groupOptions() {
  return /** @type {{id: string, name: string}[]} */ (state.groups).map(({ id, name }) => new Option(name, id))
}

/** @param {Person} person */
async function askGroup(person) {
  moved = person
  fill(moveForm, { title: t("js.admin.move_user", { name: person.username }) })
  const choice = /** @type {HTMLSelectElement} */ (must(moveForm, '[name="group"]'))
  choice.value = person.group.id
  openDialog("move-user-dialog")
}

function showPasswordPart() {
  const wanted = new FormData(form).get("way") === "password"
  const part = must(form, "[data-password-part]")
  part.hidden = !wanted
  for (const input of part.querySelectorAll("input")) input.disabled = !wanted
}

/** @param {Person} person */
async function makeLink({ id, username: name, passkeys }) {
  const text = t(passkeys ? "js.admin.reset_text_passkeys" : "js.admin.reset_text")
  const words = { title: t("js.admin.reset_title", { name }), text, action: t("js.admin.reset_action") }
  if (!(await confirmDialog(words))) return
  const { token, expires_at: until } = await api.post(`/api/admin/users/${id}/reset-link`)
  showLink({ username: name }, token, until)
}

/** @param {{username: string}} person @param {string} token @param {string} [until] */
function showLink({ username: name }, token, until) {
  const text = until ? t("js.admin.link_until", { time: formatDateTime(until) }) : t("js.admin.link_text")
  showLinkOnce({ title: t("js.admin.link_for", { name }), text, once: t("js.admin.link_once") }, "/reset", token)
}

/** @param {Person} person */
async function changeRole({ id, username: name, role: before }) {
  const role = before === "admin" ? "member" : "admin"
  const words = { title: t(`js.admin.make_${role}_title`, { name }), text: t(`js.admin.make_${role}_text`, { name }), action: t(`js.admin.make_${role}`) }
  if (!(await confirmDialog(words))) return
  await change(id, { role })
  toast(t("js.admin.role_changed", { name, role: t(`js.admin.role_${role}`) }))
}

/** @param {Person} person */
async function toggleDisabled({ id, username: name, disabled }) {
  const words = { title: t("js.admin.disable_user_title", { name }), text: t("js.admin.disable_user_text", { name }), action: t("js.admin.disable") }
  if (!disabled && !(await confirmDialog(words))) return
  await change(id, { disabled: !disabled })
  toast(t(disabled ? "js.admin.user_enabled" : "js.admin.user_disabled", { name }))
}

/** @param {Person} person */
async function turnOffSecondStep({ id, username: name }) {
  const words = { title: t("js.admin.second_step_title", { name }), text: t("js.admin.second_step_text", { name }), action: t("js.admin.second_step_action") }
  if (!(await confirmDialog(words))) return
  const { user } = await api.delete(`/api/admin/users/${id}/second-step`)
  people.update(user)
  toast(t("js.admin.second_step_off", { name }))
}

/** @param {Person} person */
async function removePasskeys({ id, username: name }) {
  const words = { title: t("js.admin.passkeys_title", { name }), text: t("js.admin.passkeys_text", { name }), action: t("js.admin.passkeys_action") }
  if (!(await confirmDialog(words))) return
  const { user } = await api.delete(`/api/admin/users/${id}/passkeys`)
  people.update(user)
  toast(t("js.admin.passkeys_removed", { name }))
}

/** @param {string} id @param {{role?: string, disabled?: boolean, group_id?: string, confirmed?: true}} changes @returns {Promise<Person>} */
async function change(id, changes) {
  const { user } = await api.patch(`/api/admin/users/${id}`, changes)
  people.update(user)
  return user
}
