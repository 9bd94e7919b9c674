// @ts-check
/** The dialog in which a conversation is shared by a link, with the links to it that there are. Loaded with the first. */
import { api, loaded } from "app/api.js"
import { Branches } from "app/chat/branch.js"
import { t } from "app/i18n.js"
import { ShareList } from "app/share-list.js"
import { copyText } from "app/shell.js"
import { fill, must, onSubmit, openDialog, toast } from "app/ui.js"
import { notesOf } from "app/chat/writing.js"

/** @typedef {{id: string, title: string}} Shared */
/** @typedef {(isShared: boolean) => void} Told */

class ShareDialog {
  #form = /** @type {HTMLFormElement} */ (must(document, "[data-share-form]"))
  #list = new ShareList(must(this.#form, "[data-shares]"))
  #id = ""
  /** The last message of the branch that is shared: no more than was there when its person was asked. */
  #leaf = ""
  /** @type {Told} */
  #tell = () => {}

  constructor() {
    this.#list.addEventListener("changed", () => {
      must(this.#form, "[data-shares-part]").hidden = !this.#list.count
      this.#tell(this.#list.count > 0)
    })
    onSubmit(this.#form, (values) => this.#make(values))
  }

  /** @param {Shared} conversation @param {Told} told */
  async ask({ id, title }, told) {
    const [{ shares }, leaf] = await Promise.all([api.get(`/api/shares?conversation=${encodeURIComponent(id)}`), leafOf(id)])
    this.#id = id
    this.#leaf = leaf
    this.#tell = told
    this.#form.reset()
    fill(this.#form, { title })
    this.#list.show(shares)
    openDialog("share-dialog")
  }

  /** @param {Record<string, string>} values */
  async #make({ days, thoughts, named }) {
    const wanted = {
      message_id: this.#leaf,
      days: days === "until" ? null : Number(days),
      thoughts: thoughts !== undefined,
      named: named !== undefined,
    }
    const made = await api.post(`/api/conversations/${encodeURIComponent(this.#id)}/shares`, wanted)
    this.#list.add(made)
    const isCopied = await copyText(new URL(made.path, location.href).href)
    toast(t(isCopied ? "js.shares.made" : "js.shares.made_only"))
  }
}

/**
 * The last message of the branch that is on the page; else of the one that would be shown if it were opened. "" where there is none:
 * what the server has newest may be what nobody has seen here. Throws ApiError.
 * @param {string} id
 */
async function leafOf(id) {
  const { lastShown } = await loaded(import("app/chat/chat.js"))
  const last = lastShown(id)
  if (last) return last
  const { messages } = await api.get(`/api/conversations/${encodeURIComponent(id)}`)
  const branches = new Branches(messages)
  branches.choose(notesOf("branch").read(id))
  return branches.leaf?.id ?? ""
}

/** @type {ShareDialog | null} */
let dialog = null

/** Throws ApiError. @param {Shared} conversation @param {Told} told whether it is shared now */
export async function askHow(conversation, told) {
  dialog ??= new ShareDialog()
  await dialog.ask(conversation, told)
}
