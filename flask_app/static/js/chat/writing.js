// @ts-check
/** What happens under the fingers: which key sends, and what keeps unsent words. */
import { newIdempotencyKey } from "app/api.js"

/** Fingers on glass have no Shift+Enter: there Enter breaks the line; the button sends, and a keyboard's Ctrl+Enter. */
export const isTouched = () => Boolean(globalThis.matchMedia?.("(pointer: coarse)").matches)

/** @param {Event} event @returns {event is PointerEvent} */
export function isFinger(event) {
  return "pointerType" in event && event.pointerType === "touch"
}

/**
 * Whether a key press is an input method's. While it composes, browsers say isComposing; Safari ends the composition first and
 * then reports the same press with key code 229.
 * @param {{isComposing: boolean, keyCode: number}} press
 */
export function composes({ isComposing, keyCode }) {
  return isComposing || keyCode === 229
}

/**
 * Whether this key press sends the message. An input method's Enter never does.
 * @param {Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey" | "isComposing" | "keyCode" | "repeat">} press
 */
export function sendsMessage(press) {
  const isEnter = press.key === "Enter" && !press.shiftKey && !press.altKey && !press.repeat
  return isEnter && !composes(press) && (press.ctrlKey || press.metaKey || !isTouched())
}

/** The arrow up alone, in an empty text area: the last question is to be changed. @param {KeyboardEvent} press */
export function changesLast({ key, shiftKey, altKey, ctrlKey, metaKey, isComposing }) {
  return key === "ArrowUp" && !shiftKey && !altKey && !ctrlKey && !metaKey && !isComposing
}

/** What begins with a sign and is written up to the caret: `from` is where the sign stands. @typedef {{from: number, to: number, words: string}} Begun */

/** The @ that begins a word. One within a word, as in a mail address, begins none. @param {EventTarget | null} area */
export const mentionIn = (area) => begunIn(area, /(?:^|\s)[@＠]([^\s@＠]*)$/)

/** The / that begins a line (、 on some Chinese keyboards), where a command ends at the caret: a path goes on. @param {EventTarget | null} area */
export const commandIn = (area) => begunIn(area, /(?:^|\n)[/／、]([\p{L}\p{M}\p{N}_-]*)$/u, /^(?:\s|$)/)

/** @param {EventTarget | null} area @param {RegExp} before @param {RegExp} [after] @returns {Begun | null} */
function begunIn(area, before, after = /^/) {
  const { value, selectionStart: to, selectionEnd } = /** @type {HTMLTextAreaElement} */ (area)
  const words = to === selectionEnd && after.test(value.slice(to, to + 1)) ? before.exec(value.slice(0, to))?.[1] : undefined
  return words === undefined ? null : { from: to - words.length - 1, to, words }
}

/** The files that are chosen, pasted or dragged here, without folders: none yet while they are dragged. null: none are meant, as with words that are pasted with their picture. @param {Event} event @returns {File[] | null} */
export function filesIn(event) {
  const { target, type, clipboardData: pasted, dataTransfer: dragged } = /** @type {any} */ (event)
  if (type === "change") return target.matches("[data-attach]") && target.files.length ? [...target.files] : null
  const { types = [], items = [] } = pasted ?? dragged ?? {}
  const isWords = pasted && types.includes("text/plain") && types.includes("text/html")
  const isElsewhere = target.closest?.(pasted ? "dialog, input, textarea:not([data-composer-text])" : "dialog")
  if (!types.includes("Files") || isWords || isElsewhere) return null
  event.preventDefault() // the browser would leave the page for what is dropped
  return [...items].filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).flatMap((item) => item.getAsFile() ?? [])
}

/** Does a press on a link open one of the chat's pages, in this tab? A temporary chat is a page of its own. @param {HTMLAnchorElement} link @param {MouseEvent} press */
export function opensHere(link, press) {
  const { pathname, search } = new URL(link.href, location.href)
  return opensInTab(link, press) && !search && (pathname === "/" || pathname.startsWith("/c/"))
}

/** Does it open one of the site's pages, in this tab? @param {HTMLAnchorElement} link @param {MouseEvent} press */
export function opensInTab({ href, target }, { button, metaKey, ctrlKey, shiftKey, altKey }) {
  const isPlain = button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey && !target
  return isPlain && new URL(href, location.href).origin === location.origin
}

/** Is the chat on the page one that nothing is kept of? */
export const isTemporary = () => document.querySelector("[data-temporary]") !== null

/**
 * On iOS the keyboard covers the page without resizing it; the chat keeps to the part that is seen. Who enlarges the page with
 * two fingers sees less of it, and it stays as it is.
 * @param {HTMLElement} root
 */
export function keepToWhatIsSeen(root) {
  const view = globalThis.visualViewport
  view?.addEventListener("resize", () => {
    root.style.setProperty("--visible-height", `${Math.round(view.height * view.scale)}px`)
    if (view.scale === 1 && view.offsetTop > 0) scrollTo(0, 0)
  })
  const dock = root.querySelector(".dock")
  for (const name of ["focusin", "input"]) root.querySelector("[data-composer]")?.addEventListener(name, () => dock?.scrollTo(0, dock.scrollHeight))
}

/** One below the other; what is empty takes no place. */
export const inParagraphs = (/** @type {string[]} */ ...texts) => texts.filter((text) => text.trim()).join("\n\n")

/** Browsers with field-sizing do this by themselves. @param {HTMLTextAreaElement} area becomes as high as its text */
export function fitToText(area) {
  if (CSS.supports("field-sizing", "content")) return
  area.style.blockSize = "auto"
  area.style.blockSize = `${area.scrollHeight}px`
}

/**
 * What a person's tab notes of each conversation, for as long as it lives: unsent words, the chosen branch. Signing out clears
 * it; whoever signs in after a session that ended by itself does not see another's.
 */
export class ConversationNotes {
  #storage
  #place

  /** @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage @param {string} person @param {string} kind */
  constructor(storage, person, kind) {
    this.#storage = storage
    this.#place = `${kind}:${person}`
  }

  /** @param {string | null} conversation */
  read(conversation) {
    return this.#storage.getItem(this.#placeOf(conversation)) ?? ""
  }

  /** @param {string | null} conversation @param {string} text */
  keep(conversation, text) {
    if (!text) return this.#storage.removeItem(this.#placeOf(conversation))
    try {
      this.#storage.setItem(this.#placeOf(conversation), text)
    } catch (error) {
      console.warn("the note was not kept", error) // storage full: the words are still in the text area
    }
  }

  /** A list goes before the one that is noted there; says whether there is any. @param {string | null} conversation @param {unknown[]} list */
  putFirst(conversation, list) {
    if (list.length) this.keep(conversation, JSON.stringify([...list, ...JSON.parse(this.read(conversation) || "[]")]))
    return list.length > 0
  }

  /** The same with the one that is noted elsewhere. @param {string | null} from @param {string | null} to */
  move(from, to) {
    const list = JSON.parse(this.read(from) || "[]")
    this.keep(from, "")
    return this.putFirst(to, list)
  }

  /** @param {string | null} conversation */
  #placeOf(conversation) {
    return `${this.#place}:${conversation ?? "new"}`
  }
}

/** @type {Map<string, string>} */
const ofPage = new Map()
/** For what goes with the page. @type {Pick<Storage, "getItem" | "setItem" | "removeItem">} */
const pageStorage = {
  getItem: (name) => ofPage.get(name) ?? null,
  setItem: (name, text) => void ofPage.set(name, text),
  removeItem: (name) => void ofPage.delete(name),
}

/** Those of the page's person. @param {"draft" | "stored" | "unsent" | "waiting" | "edit" | "branch" | "heard" | "files" | "staying" | "search" | "tools"} kind */
export function notesOf(kind) {
  return new ConversationNotes(isTemporary() ? pageStorage : sessionStorage, document.querySelector('meta[name="person"]')?.getAttribute("content") ?? "", kind)
}

const MOST_SENT = 20 // keys that are remembered

/** @typedef {{text: string, key: string, sent?: string[]}} Stored a draft as the server has it, the key under which its message will be sent, and those of the ones before */

/** The drafts of a tab: the words of each, and what of them the server is known to have for the person's other devices. */
export class Drafts {
  #words
  #stored
  #unsent

  constructor(words = notesOf("draft"), stored = notesOf("stored"), unsent = notesOf("unsent")) {
    this.#words = words
    this.#stored = stored
    this.#unsent = unsent
  }

  /** @param {string | null} conversation */
  read(conversation) {
    return this.#words.read(conversation)
  }

  /** @param {string | null} conversation @param {string} text */
  keep(conversation, text) {
    this.#words.keep(conversation, text)
  }

  /** Without a key: the server has none, or is not to have these words. @param {string | null} conversation @returns {Stored} */
  storedOf(conversation) {
    return JSON.parse(this.#stored.read(conversation) || '{"text": "", "key": ""}')
  }

  /** @param {string | null} conversation @param {Stored | null} draft null: it has none @param {string[]} [sent] */
  store(conversation, draft, sent = this.storedOf(conversation).sent) {
    const { text, key } = draft ?? { text: "", key: "" }
    this.#stored.keep(conversation, draft || sent?.length ? JSON.stringify({ text, key, sent }) : "")
  }

  /** @param {string | null} conversation */
  isStored(conversation) {
    return this.read(conversation) === this.storedOf(conversation).text
  }

  /** The key under which what is written there will be sent: the same until it has been. @param {string | null} conversation */
  keyOf(conversation) {
    const stored = this.storedOf(conversation)
    const key = stored.key || newIdempotencyKey()
    if (!stored.key) this.store(conversation, { ...stored, key })
    return key
  }

  /** What is written from now on is another message. @param {string | null} conversation */
  renewKey(conversation) {
    const { key, sent = [] } = this.storedOf(conversation)
    this.store(conversation, { text: "", key: newIdempotencyKey() }, [...sent, key].filter(Boolean).slice(-MOST_SENT))
  }

  /** Is that what was sent from here lately, or is on its way? @param {string | null} conversation @param {Stored | null} draft */
  isSent(conversation, draft) {
    const { idempotencyKey } = JSON.parse(this.#unsent.read(conversation) || "{}")
    return draft !== null && [idempotencyKey, ...(this.storedOf(conversation).sent ?? [])].includes(draft.key)
  }

  /**
   * What the server has takes the place of the words that it was known to have. Words that it has not had yet stay, after those that were
   * begun elsewhere, as another message, where those do not stand among them. What was sent is no draft.
   * @param {string | null} conversation @param {Stored | null} found @returns {string} the words
   */
  take(conversation, found) {
    const { text, key } = this.storedOf(conversation)
    const here = this.read(conversation)
    if ((!found && !key) || this.isSent(conversation, found)) return here
    const isKnown = here === text && (key !== "" || here === "")
    const isApart = !isKnown && key !== found?.key && !`\n\n${here}\n\n`.includes(`\n\n${found?.text}\n\n`)
    const words = isKnown ? (found?.text ?? "") : isApart ? inParagraphs(found?.text ?? "", here) : here
    this.store(conversation, found)
    this.keep(conversation, words)
    return words
  }
}

/** @typedef {import("app/chat/composer.js").Outgoing} Outgoing */

/** What was sent and is not known to have been taken: noted until it has begun, with its key, so that nothing is lost or asked twice. */
export class Unsent {
  #notes
  /** The keys of what this page itself is sending. @type {Set<string>} */
  #underWay = new Set()

  constructor(notes = notesOf("unsent")) {
    this.#notes = notes
  }

  /** @param {string | null} conversation @param {Outgoing} outgoing */
  send(conversation, outgoing) {
    this.#underWay.add(outgoing.idempotencyKey)
    this.#keep(conversation, outgoing, false)
  }

  /** Its words are in the text area again; sent unchanged, it keeps its key. @param {string | null} conversation @param {Outgoing} outgoing */
  giveBack(conversation, outgoing) {
    this.#underWay.delete(outgoing.idempotencyKey)
    if (this.#underWay.has(this.#read(conversation)?.idempotencyKey ?? "")) return // another one is on its way there
    this.#keep(conversation, outgoing, true)
  }

  /** It has begun. @param {string | null} conversation @param {string} key */
  forget(conversation, key) {
    this.#underWay.delete(key)
    if (this.#read(conversation)?.idempotencyKey === key) this.#notes.keep(conversation, "")
  }

  /** What a page that is gone was sending: its words are to be given back, once. @param {string | null} conversation @returns {Outgoing | null} */
  takeLost(conversation) {
    const noted = this.#read(conversation)
    if (!noted || noted.isBack || this.#underWay.has(noted.idempotencyKey)) return null
    this.#keep(conversation, noted, true)
    return noted
  }

  /** The key of the same thing, where it was given back. @param {string | null} conversation @param {Omit<Outgoing, "idempotencyKey">} draft */
  keyOf(conversation, draft) {
    const noted = this.#read(conversation)
    const said = (/** @type {typeof draft} */ { text, files = [], assistant, model, thinking, search, tools }) => JSON.stringify([text, files.map(({ id }) => id), assistant, model, thinking, search, tools])
    return noted?.isBack && said(noted) === said(draft) ? noted.idempotencyKey : null
  }

  /** @param {string | null} conversation @returns {(Outgoing & {isBack: boolean}) | null} */
  #read(conversation) {
    return JSON.parse(this.#notes.read(conversation) || "null")
  }

  /** @param {string | null} conversation @param {Outgoing} outgoing @param {boolean} isBack */
  #keep(conversation, { text, files, assistant, model, thinking, search, tools, idempotencyKey }, isBack) {
    this.#notes.keep(conversation, JSON.stringify({ text, files, assistant, model, thinking, search, tools, idempotencyKey, isBack }))
  }
}
