// @ts-check
/** A list that comes as a file while it is made: how far it is, a way to end it, and what became of it. */
import { ApiError, request } from "app/api.js"
import { newDiskFile } from "app/disk-file.js"
import { countingFiles, countingLines, fileName } from "app/file-stream.js"
import { formatNumber, sentence, t } from "app/i18n.js"
import { announce, must, toast } from "app/ui.js"

const MOST_HELD = 100_000 // records of a file that is gathered in memory before it is kept,
const MOST_BYTES_HELD = 70_000_000 // and as much of it: conversations and files are longer than records
const KEPT_MILLISECONDS = 60_000 // browsers may read a file a moment after they were given it

/**
 * Fetches a file and gives it to the browser once all of it is here; a half of it is never kept. What may be long goes to the
 * browser's own disk, and where there is none the browser downloads it by itself, once it is known to be long.
 * @param {HTMLElement} root [data-downloads], whose links make room for how far it is
 * @param {HTMLAnchorElement} link
 * @param {number | null} expected how many records there will be, null where nobody has counted them
 * @param {{isLong?: boolean}} [options] may each of them be long, as conversations and files are?
 */
export async function download(root, link, expected, { isLong = false } = {}) {
  const kind = link.dataset.download ?? ""
  const disk = expected === null || expected > MOST_HELD || isLong ? await newDiskFile() : null
  if (!disk && expected !== null && expected > MOST_HELD) return give(link.href)
  const leave = new AbortController()
  let isTooLong = false
  const heads = kind === "csv" || kind === "json" ? 1 : 0
  const view = new Progress(root, expected, () => leave.abort())
  const count = (/** @type {number} */ found, /** @type {number} */ bytes) => {
    view.show(found - heads)
    isTooLong = !disk && (bytes > MOST_BYTES_HELD || (expected === null && found > MOST_HELD))
    if (isTooLong) throw new Error("too long") // which ends the request
  }
  addEventListener("beforeunload", hold)
  try {
    const response = await request(link.href, { signal: leave.signal })
    const counting = kind === "zip" ? countingFiles(count) : countingLines(count)
    const counted = /** @type {ReadableStream} */ (response.body).pipeThrough(counting)
    keep(await (disk ? disk.fill(counted) : new Response(counted).blob()), fileName(response.headers), disk)
    announce(t("js.records.downloaded"))
  } catch (error) {
    disk?.remove()
    if (!isTooLong) explainEnd(error, leave.signal.aborted)
  } finally {
    removeEventListener("beforeunload", hold)
    if (view.end()) link.focus()
  }
  if (isTooLong) give(link.href)
}

/** @param {unknown} error @param {boolean} isMeant */
function explainEnd(error, isMeant) {
  if (isMeant) return announce(t("js.records.download_ended"))
  const isFull = error instanceof DOMException && error.name === "QuotaExceededError"
  const words = t(isFull ? "js.records.download_no_room" : "js.records.download_broke_off")
  toast(error instanceof ApiError ? sentence(error) : words, { kind: "danger" })
}

/** Whoever leaves the page is asked whether that is meant: the file would not come. @param {Event} event */
function hold(event) {
  event.preventDefault()
}

/** @param {Blob} file @param {string} name @param {Awaited<ReturnType<typeof newDiskFile>>} disk */
function keep(file, name, disk) {
  const address = URL.createObjectURL(file)
  const milliseconds = disk?.given(file) ?? KEPT_MILLISECONDS
  give(address, name)
  const forget = () => {
    URL.revokeObjectURL(address)
    disk?.remove()
  }
  setTimeout(forget, milliseconds)
}

/** The browser's own download. @param {string} href @param {string} name empty: as the server calls it */
function give(href, name = "") {
  Object.assign(document.createElement("a"), { href, download: name }).click()
}

class Progress {
  #links
  #part
  #bar
  #expected

  /** @param {HTMLElement} root @param {number | null} expected @param {() => void} leave */
  constructor(root, expected, leave) {
    this.#links = must(root, "[data-formats]")
    this.#part = must(root, "[data-progress]")
    this.#bar = /** @type {HTMLProgressElement} */ (must(this.#part, "progress"))
    this.#expected = expected
    if (expected === null) this.#bar.removeAttribute("value")
    else this.#bar.max = expected
    this.#swap(true)
    const stop = must(this.#part, "[data-stop]")
    stop.onclick = leave
    stop.focus()
    this.show(0)
  }

  /** A line end inside a cell counts as one too. @param {number} lines */
  show(lines) {
    const count = Math.min(Math.max(lines, 0), this.#expected ?? Infinity)
    if (this.#expected !== null) this.#bar.value = count
    must(this.#part, "[data-so-far]").textContent =
      this.#expected === null
        ? t("js.records.download_so_far", { count: formatNumber(count) })
        : t("js.records.download_of", { count: formatNumber(count), expected: formatNumber(this.#expected) })
  }

  /** Whether the focus was here, and has to go somewhere. */
  end() {
    const wasHere = this.#part.contains(document.activeElement)
    this.#swap(false)
    return wasHere
  }

  /** @param {boolean} isGoing */
  #swap(isGoing) {
    this.#links.hidden = isGoing
    this.#part.hidden = !isGoing
  }
}
