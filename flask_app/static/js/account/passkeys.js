// @ts-check
/** The card of one's passkeys: listed, added, named, removed. */
import { api } from "app/api.js"
import { formatAgo, formatDateTime, t } from "app/i18n.js"
import { hasPasskeys, makePasskey } from "app/entrance/passkey-ceremony.js"
import { sendSayingWhere } from "app/account/proof.js"
import { fill, fromTemplate, must, openDialog, slot, tell, toast } from "app/ui.js"

/** @typedef {{id: string, name: string, created_at: string, last_used_at: string | null, synced: boolean, address: string, here: boolean}} Passkey */
/** @typedef {import("app/account/proof.js").Proof} Proof */
/** @typedef {import("app/account/proof.js").Proven} Proven */

const PATH = "/api/me/passkeys"

export class PasskeysCard {
  #card = must(document, "[data-passkeys]")
  #list = must(this.#card, "[data-passkey-list]")
  #naming = /** @type {HTMLFormElement} */ (must(document, "[data-passkey-name]"))
  #proof
  #asksCode
  #changed
  /** @type {Passkey[]} */
  #passkeys
  /** Which one a dialog is open for. @type {Passkey | null} */
  #named = null

  /** @param {Passkey[]} passkeys @param {Proof} proof @param {() => boolean} asksCode @param {() => Promise<void>} changed */
  constructor(passkeys, proof, asksCode, changed) {
    this.#passkeys = passkeys
    this.#proof = proof
    this.#asksCode = asksCode
    this.#changed = changed
    this.#show()
    const button = this.#card.querySelector("[data-add-passkey]")
    if (button instanceof HTMLButtonElement) this.#offer(button)
    sendSayingWhere(this.#naming, { bad_passkey_name: "passkey_name" }, ({ passkey_name: name = "" }) => this.#rename(name))
  }

  /** @param {HTMLButtonElement} button */
  #offer(button) {
    must(this.#card, "[data-no-passkeys]").hidden = hasPasskeys()
    button.hidden = !hasPasskeys()
    const words = { title: t("js.passkeys.add_title"), action: t("js.account.continue") }
    button.addEventListener("click", () => this.#proof.ask({ ...words, asksCode: this.#asksCode(), act: (proven) => this.#add(proven) }))
  }

  /** The browser asks in a dialog of its own, over the page: ours is closed by then. @param {Proven} proven */
  async #add(proven) {
    const options = await api.post(`${PATH}/options`, proven)
    this.#proof.close()
    try {
      const { passkey } = await api.post(PATH, { credential: await makePasskey(options) })
      this.#passkeys = [...this.#passkeys, passkey]
      this.#show()
      toast(t("js.passkeys.added", { name: passkey.name }))
    } catch (error) {
      tell(error)
    }
    await this.#changed()
  }

  /** @param {string} name */
  async #rename(name) {
    if (!this.#named) return
    const { passkey } = await api.patch(`${PATH}/${this.#named.id}`, { name })
    this.#naming.closest("dialog")?.close()
    this.#passkeys = this.#passkeys.map((each) => (each.id === passkey.id ? passkey : each))
    this.#show()
    must(this.#list, `[data-id="${passkey.id}"] [data-slot="rename"]`).focus()
    toast(t("js.account.saved"))
  }

  /** @param {Passkey} passkey @param {Proven} proven */
  async #remove({ id, name }, { password }) {
    await api.post(`${PATH}/${id}/remove`, { password })
    this.#proof.close()
    this.#passkeys = this.#passkeys.filter((each) => each.id !== id)
    this.#show()
    const next = this.#card.querySelector("[data-slot=remove], [data-add-passkey]:not([hidden])")
    if (next instanceof HTMLElement) next.focus()
    toast(t("js.passkeys.removed", { name }))
    await this.#changed()
  }

  #show() {
    this.#list.replaceChildren(...this.#passkeys.map((passkey) => this.#row(passkey)))
    this.#list.hidden = this.#passkeys.length === 0
  }

  /** @param {Passkey} passkey */
  #row(passkey) {
    const { id, name, created_at: created, last_used_at: used, synced, address, here } = passkey
    const row = fromTemplate("passkey-template", {
      name,
      synced: t(synced ? "js.passkeys.synced" : "js.passkeys.one_device"),
      elsewhere: here ? "" : t("js.passkeys.elsewhere", { address }),
      created: t("js.passkeys.created", { time: formatDateTime(created) }),
      used: used ? t("js.account.last_seen", { time: formatAgo(used) }) : t("js.passkeys.never_used"),
    })
    row.dataset.id = id
    slot(row, "elsewhere").hidden = here
    slot(row, "used").title = used ? formatDateTime(used) : ""
    this.#act(row, "rename", t("js.passkeys.rename_one", { name }), () => this.#beginToRename(passkey))
    this.#act(row, "remove", t("js.passkeys.remove_one", { name }), () => this.#beginToRemove(passkey))
    return row
  }

  /** @param {HTMLElement} row @param {string} name @param {string} label @param {() => void} act */
  #act(row, name, label, act) {
    const button = slot(row, name)
    button.setAttribute("aria-label", label)
    button.addEventListener("click", act)
  }

  /** @param {Passkey} passkey */
  #beginToRename(passkey) {
    this.#named = passkey
    fill(this.#naming, { title: t("js.passkeys.rename_title", { name: passkey.name }) })
    const input = /** @type {HTMLInputElement} */ (must(this.#naming, '[name="passkey_name"]'))
    input.value = passkey.name
    openDialog("passkey-name-dialog")
    input.select()
  }

  /** @param {Passkey} passkey */
  #beginToRemove(passkey) {
    const words = { title: t("js.passkeys.remove_title", { name: passkey.name }), action: t("js.passkeys.remove") }
    this.#proof.ask({ ...words, asksCode: false, act: (proven) => this.#remove(passkey, proven) })
  }
}
