// @ts-check
/** A list that comes as a file while it is made: how far it is, a way to end it, and what became of it. */
import { ApiError, request } from "app/api.js"
import { countingFiles, countingLines, fileName } from "app/file-stream.js"
import { formatNumber, sentence, t } from "app/i18n.js"
import { announce, must, toast } from "app/ui.js"

const KEPT_SECONDS = 60 // browsers may read a file a moment after they were given it

/**
 * Fetches a file and gives it to the browser once all of it is here; a half of it is never kept.
 * @param {HTMLElement} root [data-downloads], whose links make room for how far it is
 * @param {HTMLAnchorElement} link
 * @param {number} expected how many records there will be
 */
export async function download(root, link, expected) {
  const leave = new AbortController()
  const kind = link.dataset.download ?? ""
  const counting = kind === "zip" ? countingFiles : countingLines
  const heads = kind === "csv" || kind === "json" ? 1 : 0
  const view = new Progress(root, expected, () => leave.abort())
  addEventListener("beforeunload", hold)
  try {
    const response = await request(link.href, { signal: leave.signal })
    const counted = /** @type {ReadableStream} */ (response.body).pipeThrough(counting((found) => view.show(found - heads)))
    save(await new Response(counted).blob(), fileName(response.headers))
    announce(t("js.records.downloaded"))
  } catch (error) {
    if (leave.signal.aborted) announce(t("js.records.download_ended"))
    else toast(error instanceof ApiError ? sentence(error) : t("js.records.download_broke_off"), { kind: "danger" })
  } finally {
    removeEventListener("beforeunload", hold)
    if (view.end()) link.focus()
  }
}

/** Whoever leaves the page is asked whether that is meant: the file would not come. @param {Event} event */
function hold(event) {
  event.preventDefault()
}

/** @param {Blob} file @param {string} name */
function save(file, name) {
  const address = URL.createObjectURL(file)
  Object.assign(document.createElement("a"), { href: address, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(address), KEPT_SECONDS * 1000)
}

class Progress {
  #links
  #part
  #bar
  #expected

  /** @param {HTMLElement} root @param {number} expected @param {() => void} leave */
  constructor(root, expected, leave) {
    this.#links = must(root, "[data-formats]")
    this.#part = must(root, "[data-progress]")
    this.#bar = /** @type {HTMLProgressElement} */ (must(this.#part, "progress"))
    this.#expected = this.#bar.max = expected
    this.#swap(true)
    const stop = must(this.#part, "[data-stop]")
    stop.onclick = leave
    stop.focus()
    this.show(0)
  }

  /** A line end inside a cell counts as one too. @param {number} lines */
  show(lines) {
    const count = Math.min(Math.max(lines, 0), this.#expected)
    this.#bar.value = count
    must(this.#part, "[data-so-far]").textContent = t("js.records.download_of", {
      count: formatNumber(count),
      expected: formatNumber(this.#expected),
    })
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
