// @ts-check
/** Entry of the account page: time zone, warnings, password, second step, passkeys, one's data, signed-in browsers. */
import { offerDeletion, offerExport, offerImport } from "app/account/account-data.js"
import { api } from "app/api.js"
import { formatAgo, formatDateTime, t } from "app/i18n.js"
import { IdentitiesCard } from "app/account/identities.js"
import { NewPassword } from "app/account/new-password.js"
import { offerOwnAddress } from "app/account/own-address.js"
import { PasskeysCard } from "app/account/passkeys.js"
import { Proof } from "app/account/proof.js"
import { ownShares } from "app/account/own-shares.js"
import { SecondStepCard } from "app/account/second-step.js"
import { confirmDialog, fromTemplate, must, onSubmit, pageState, slot, tell, toast } from "app/ui.js"

/** @typedef {{id: string, browser: string | null, system: string | null, address: string, last_seen_at: string, current: boolean, new_device_id: string | null}} Session */
/** A new browser that is signed out again. @typedef {{id: string, browser: string | null, system: string | null, address: string, signed_in_at: string}} Gone */

const zones = /** @type {HTMLSelectElement} */ (must(document, "[data-timezones]"))
const passwordForm = /** @type {HTMLFormElement} */ (must(document, "[data-password-form]"))
const list = must(document, "[data-sessions]")
const endOthers = /** @type {HTMLButtonElement} */ (must(document, "[data-end-others]"))

offerOwnZone()
zones.addEventListener("change", () => saying("js.account.saved", () => api.patch("/api/me", { timezone: zones.value })))

const newPassword = new NewPassword(passwordForm)
onSubmit(passwordForm, async ({ current, password }) => {
  if (!newPassword.isRepeated()) return
  await api.post("/api/me/password", { current, new: password })
  passwordForm.reset()
  toast(t("js.account.password_changed"))
  await reload()
})

endOthers.addEventListener("click", async () => {
  const words = { title: t("js.account.end_others_title"), text: t("js.account.end_others_text"), action: t("js.account.end_others_action") }
  if (await confirmDialog(words)) await saying("js.account.others_ended", () => api.delete("/api/me/sessions"))
  await reload()
})
const state = pageState("account-state")
show(state)
document.addEventListener("devicechange", reload)
const proof = new Proof()
const secondStep = new SecondStepCard(state.second_step, proof, reload)
new PasskeysCard(state.passkeys, proof, () => secondStep.isOn, reload)
offerOwnAddress(proof)
offerExport()
offerImport()
ownShares(state.shares)
offerDeletion(proof, () => secondStep.isOn)
if (document.querySelector("[data-identities]")) new IdentitiesCard(state.identity)

/** The zone of this device first: it is the likeliest. */
function offerOwnZone() {
  const chosen = zones.value
  const group = document.createElement("optgroup")
  group.label = t("js.account.this_device")
  group.append(new Option(new Intl.DateTimeFormat().resolvedOptions().timeZone))
  zones.prepend(group)
  zones.value = chosen
}

/** @param {{sessions: Session[], gone: Gone[], may_confirm: boolean}} of */
function show({ sessions, gone, may_confirm: mayOwn }) {
  list.replaceChildren(...sessions.map((each) => rowOf(each, mayOwn)), ...gone.map((each) => rowOfGone(each, mayOwn)))
  endOthers.hidden = sessions.every((session) => session.current)
  const isAnyNew = gone.length > 0 || sessions.some((session) => session.new_device_id)
  must(document, "[data-new-devices]").hidden = !isAnyNew
  if (!isAnyNew) document.querySelector("[data-new-device]")?.remove()
}

/** @param {Session} session @param {boolean} mayOwn */
function rowOf(session, mayOwn) {
  const row = bareRow(session, t("js.account.last_seen", { time: formatAgo(session.last_seen_at) }), session.last_seen_at)
  slot(row, "current").hidden = !session.current
  offerOwning(row, session.new_device_id, mayOwn)
  const button = slot(row, "end")
  button.hidden = session.current
  button.setAttribute("aria-label", t("js.account.end_one", { name: nameOf(session) }))
  button.addEventListener("click", ({ detail }) => detail < 2 && end(session)) // a second press meets the next one
  return row
}

/** @param {Gone} device @param {boolean} mayOwn */
function rowOfGone(device, mayOwn) {
  const row = bareRow(device, t("js.devices.gone", { time: formatAgo(device.signed_in_at) }), device.signed_in_at)
  offerOwning(row, device.id, mayOwn)
  slot(row, "end").hidden = true
  return row
}

/** @param {Session | Gone} of @param {string} seen @param {string} at */
function bareRow(of, seen, at) {
  const row = fromTemplate("session-template", { name: nameOf(of), address: of.address || t("js.account.unknown_address"), seen })
  slot(row, "seen").title = formatDateTime(at)
  return row
}

/** @param {Session | Gone} of */
function nameOf({ browser, system }) {
  return [browser, system].filter(Boolean).join(" · ") || t("js.account.unknown_browser")
}

/** @param {HTMLElement} row @param {string | null} deviceId of a browser that is new @param {boolean} mayOwn */
function offerOwning(row, deviceId, mayOwn) {
  slot(row, "new").hidden = deviceId === null
  slot(row, "own").hidden = deviceId === null || !mayOwn
  slot(row, "own").addEventListener("click", async ({ detail }) => {
    if (detail > 1) return
    await saying("js.devices.owned", () => api.post(`/api/me/devices/${deviceId}/confirm`))
    await reload()
  })
}

/** @param {Session} session */
async function end({ id }) {
  await saying("js.account.one_ended", () => api.delete(`/api/me/sessions/${id}`))
  await reload()
}

async function reload() {
  try {
    show(await api.get("/api/me/sessions"))
  } catch (error) {
    tell(error)
  }
}

/** Says how it went. @param {string} key @param {() => Promise<unknown>} act */
async function saying(key, act) {
  try {
    await act()
    toast(t(key))
  } catch (error) {
    tell(error)
  }
}
