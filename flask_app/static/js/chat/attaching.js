// @ts-check
/**
 * Files that go along with a message: chosen, dropped anywhere in the chat, or pasted. Loaded with the first, and where some are attached
 * already.
 */
import { request } from "app/api.js"
import { AttachedFiles } from "app/chat/attached-files.js"
import { FileChips } from "app/chat/file-chips.js"
import { addressOf } from "app/chat/file-list.js"
import { upload } from "app/chat/file-upload.js"
import { passagesOf } from "app/chat/telling.js"
import { loaded } from "app/api.js"
import { formatNumber, sentence, t } from "app/i18n.js"
import { announce, must, reactTo, slot, tell, toast } from "app/ui.js"

const DRAGGED = 400 // milliseconds after which nothing is dragged any more, where no event has told of it
const MOST_NAMED = 3

/** @typedef {{most: number, most_mb: number, search_tokens: number}} Limits */
/** @typedef {import("app/chat/attached-files.js").Attached} Attached */

/** @type {Attaching | null} */
let only = null

/** That of the page. @param {HTMLElement} root of the chat @param {import("app/chat/composer.js").Composer} composer @param {Limits} limits */
export function attachingIn(root, composer, limits) {
  only ??= new Attaching(root, composer, limits)
  return only
}

export class Attaching {
  #root
  #composer
  #most
  #searchTokens
  #files
  #chips
  #timer = 0
  /** Where files were looked for, at the server, that this page had only noted. @type {Set<string | null>} */
  #checked = new Set()

  /** @param {HTMLElement} root @param {import("app/chat/composer.js").Composer} composer @param {Limits} limits */
  constructor(root, composer, limits) {
    this.#root = root
    this.#composer = composer
    this.#most = limits.most
    this.#searchTokens = limits.search_tokens
    const server = { upload: (/** @type {File} */ file, /** @type {import("app/chat/file-upload.js").Under} */ under) => upload(file, limits.most_mb, under), isThere }
    this.#files = new AttachedFiles(limits.most, { ...server, searchTokens: limits.search_tokens })
    this.#chips = new FileChips(must(root, "[data-attached]"))
    composer.attached = this.#files
    this.#listen()
    composer.refresh()
  }

  #listen() {
    reactTo(this.#composer, { changed: () => this.#draw(), modelchange: () => this.#showSight() })
    reactTo(this.#files, {
      changed: () => this.#composer.refresh(),
      progress: (file) => this.#chips.show(file),
      arrived: (file) => announce(arrivedWords(file)),
      refused: ({ name, error }) => announce(t("js.files.refused", { name, why: sentence(error) })),
      twice: ({ name }) => toast(t("js.files.twice", { name })),
      over: () => this.#tellOfMost(),
      gone: ({ names }) => toast(t("js.files.gone", { names: names.join(t("js.files.and")) }), { kind: "danger" }),
    })
    reactTo(this.#chips, {
      remove: ({ key }) => this.#remove(key),
      again: ({ key }) => this.#files.again(key),
      told: ({ key }) => this.#askHow(key).catch(tell),
      emptied: () => this.#composer.focus(),
    })
    slot(must(this.#root, "[data-sightless]"), "use").addEventListener("click", () => this.#useSeeing())
  }

  /** @param {string} how the event's name @param {File[]} files */
  take(how, files) {
    if (how === "dragenter" || how === "dragover") return this.#showDrop()
    this.#hideDrop()
    if (how === "change") /** @type {HTMLInputElement} */ (must(this.#root, "[data-attach]")).value = "" // the same may be chosen again
    if (!files.length) return toast(t("js.files.folders"), { kind: "danger" })
    const left = this.#files.add(this.#composer.place, files)
    if (left) this.#tellOfMost()
    else announce(t("js.files.begun", { count: files.length }))
    if (how !== "change" || matchMedia("(hover: hover)").matches) this.#composer.focus()
  }

  #tellOfMost() {
    toast(t("js.files.too_many", { most: this.#most }), { kind: "danger" })
  }

  #draw() {
    const { place } = this.#composer
    this.#chips.draw(this.#files.of(place), this.#files.tellings(place))
    this.#showSearched()
    must(this.#root, "[data-attached-wait]").hidden = !this.#files.isComing(place)
    this.#showSight()
    if (this.#checked.has(place)) return
    this.#checked.add(place)
    void this.#files.check(place)
  }

  get #model() {
    return this.#composer.models.find(({ id }) => id === this.#composer.choice.model)
  }

  /** What is searched because it is too long is told of. */
  #showSearched() {
    const [{ place }, model] = [this.#composer, this.#model]
    const searched = [...this.#files.tellings(place)].filter(([{ stays }, { how, isOwn }]) => how === "search" && !isOwn && !stays)
    const names = searched.map(([{ name }]) => name).join(t("js.files.and"))
    const words = names ? t("js.files.too_long_to_tell", { model: model?.label ?? "", names }) : ""
    const note = must(this.#root, "[data-attached-searched]")
    if (note.textContent === words) return
    note.textContent = words
    note.hidden = !words
    if (words) announce(words)
  }

  /** @param {string} key */
  async #askHow(key) {
    const [{ place }, model] = [this.#composer, this.#model]
    const tellings = this.#files.tellings(place)
    const [attached, telling] = [...tellings].find(([each]) => each.key === key) ?? []
    if (!attached?.facts || !telling) return
    const others = [...tellings].filter(([each, { how }]) => each !== attached && how === "search").length
    const asked = { facts: attached.facts, telling, passages: passagesOf(model?.context_tokens ?? null, others + 1, this.#searchTokens), model: model?.id }
    const { askHow } = await loaded(import("app/chat/telling-dialog.js"))
    askHow(asked, (how, pages) => this.#files.tellAs(key, how, pages))
  }

  /** Pictures that the chosen model would not see are told of, with those that would. */
  #showSight() {
    const [{ models, place }, model] = [this.#composer, this.#model]
    const note = must(this.#root, "[data-sightless]")
    const isBlind = model !== undefined && !model.sees && this.#files.hasPicture(place)
    const seeing = models.filter(({ sees }) => sees)
    const [first] = seeing
    if (note.hidden === isBlind) note.hidden = !isBlind
    if (!isBlind) return
    const names = seeing.slice(0, MOST_NAMED).map(({ label }) => label).join(t("js.files.and"))
    const words = first ? t("js.files.sightless", { model: model.label, names }) : t("js.files.sightless_all", { model: model.label })
    if (slot(note, "text").textContent !== words) slot(note, "text").textContent = words
    slot(note, "use").hidden = !first
    slot(note, "use").textContent = t("js.files.use", { name: first?.label ?? "" })
  }

  /** As a person chooses it. */
  #useSeeing() {
    const select = /** @type {HTMLSelectElement} */ (must(this.#root, "[data-model]"))
    select.value = this.#composer.models.find(({ sees }) => sees)?.id ?? select.value
    select.dispatchEvent(new Event("change", { bubbles: true }))
    this.#composer.focus()
  }

  /** @param {string} key */
  #remove(key) {
    this.#files.remove(key)
    announce(t("js.files.removed"))
  }

  #showDrop() {
    must(this.#root, "[data-drop]").hidden = false
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#hideDrop(), DRAGGED)
  }

  #hideDrop() {
    clearTimeout(this.#timer)
    must(this.#root, "[data-drop]").hidden = true
  }
}

/** @param {Attached} file */
const arrivedWords = ({ name, facts }) =>
  t("js.files.here", { name, tokens: formatNumber(facts?.tokens ?? 0) }) + (facts?.omits ? ` (${t("js.files.omits")})` : "")

/** Throws ApiError where that cannot be known. @param {string} id */
async function isThere(id) {
  try {
    await request(addressOf(id), { method: "HEAD", cache: "no-store" })
    return true
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status === 404) return false
    throw error
  }
}
