// @ts-check
/** Files on their way to the server, with how far they are. A large photograph is made smaller before; the server checks all the same. */
import { ApiError, answerTo, csrfHeader } from "app/api.js"
import { t } from "app/i18n.js"

const PATH = "/api/files"
// Pixels, as the server has them: of the longer edge, as far as the shorter one keeps as many, and the most and the least of them.
const [LONGEST, LEGIBLE, MOST, LEAST] = [2_048, 768, 8_000, 320]
const QUALITY = 0.85
const SMALL = 1_000_000 // bytes up to which a picture without loss stays one
const MEGABYTE = 1_024 * 1_024
/** What the server reads as it is. */
const READ = new Set(["image/jpeg", "image/png", "image/webp"])
const KEPT = new Set(["image/gif", "image/svg+xml"])

/** @typedef {import("app/chat/file-list.js").MessageFile & {tokens: number, omits?: boolean}} Facts `omits`: pictures in it are not read */
/** @typedef {{signal: AbortSignal, progress: (share: number) => void}} Under how an upload is called off, and told of */

/** Throws ApiError; where it was called off, what `signal` says. @param {File} file @param {number} mostMb @param {Under} under @returns {Promise<Facts>} */
export async function upload(file, mostMb, under) {
  const { content, name } = await inSize(file)
  under.signal.throwIfAborted()
  if (!content.size) throw new ApiError(422, { code: "file_empty", message: t("js.files.empty") })
  if (content.size > mostMb * MEGABYTE) throw new ApiError(413, { code: "file_too_large", message: t("js.files.too_large", { limit: mostMb }) })
  const path = `${PATH}?${new URLSearchParams({ name })}`
  return (await answerTo(() => send(path, content, under))).json()
}

/** Only this way browsers tell how far it is. @param {string} path @param {Blob} content @param {Under} under @returns {Promise<Response>} */
function send(path, content, { signal, progress }) {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest()
    asked.open("POST", path)
    asked.responseType = "blob"
    const headers = { ...csrfHeader(), Accept: "application/json", "Content-Type": "application/octet-stream" }
    for (const [name, value] of Object.entries(headers)) asked.setRequestHeader(name, value)
    asked.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0))
    asked.addEventListener("load", () => resolve(responseOf(asked)))
    asked.addEventListener("error", () => reject(new ApiError(0, { code: "offline", message: "" })))
    asked.addEventListener("abort", () => reject(signal.reason))
    signal.addEventListener("abort", () => asked.abort(), { once: true })
    asked.send(content)
  })
}

/** @param {XMLHttpRequest} asked */
function responseOf(asked) {
  const headers = new Headers()
  for (const name of ["X-CSRF-Token", "Retry-After"]) headers.set(name, asked.getResponseHeader(name) ?? "")
  return new Response(asked.response, { status: asked.status, headers })
}

/** What browsers can draw and models need not see as large, or cannot read, is drawn anew. @param {File} file @returns {Promise<{content: Blob, name: string}>} */
async function inSize(file) {
  const asItIs = { content: file, name: file.name }
  if (!file.type.startsWith("image/") || KEPT.has(file.type)) return asItIs
  const picture = await createImageBitmap(file).catch(() => null)
  if (!picture) return asItIs // the server says what is wrong with it
  const share = fittingShare(picture)
  const asKnown = share === null || (share === 1 && READ.has(file.type)) // one that is too long is for the server to refuse
  const drawn = asKnown ? null : await drawnAnew(picture, share, file.type === "image/png")
  picture.close()
  return drawn ? { content: drawn, name: nameOf(file.name, drawn.type) } : asItIs
}

/** To what share of its size a picture is made smaller; null where it would not be legible. @param {{width: number, height: number}} picture */
export function fittingShare({ width, height }) {
  const [longer, shorter] = [Math.max(width, height), Math.min(width, height)]
  const share = Math.min(1, Math.max(LONGEST / longer, Math.min(LEGIBLE / shorter, MOST / longer)))
  return share < 1 && Math.round(shorter * share) < LEAST ? null : share
}

/** @param {ImageBitmap} picture @param {number} share of its size @param {boolean} isLossless @returns {Promise<Blob | null>} */
async function drawnAnew(picture, share, isLossless) {
  const canvas = document.createElement("canvas")
  canvas.width = Math.max(1, Math.round(picture.width * share))
  canvas.height = Math.max(1, Math.round(picture.height * share))
  const pen = canvas.getContext("2d")
  if (!pen) return null
  pen.imageSmoothingQuality = "high"
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height)
  const lossless = isLossless ? await encoded(canvas, "image/png") : null
  if (lossless && lossless.size <= SMALL) return lossless
  pen.globalCompositeOperation = "destination-over" // what is transparent would become black
  pen.fillStyle = "white"
  pen.fillRect(0, 0, canvas.width, canvas.height)
  return encoded(canvas, "image/jpeg")
}

/** @param {HTMLCanvasElement} canvas @param {string} type @returns {Promise<Blob | null>} */
const encoded = (canvas, type) => new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY))

/** Its ending says what it is now. @param {string} name @param {string} type */
const nameOf = (name, type) => (type === "image/jpeg" && !/\.jpe?g$/i.test(name) ? `${name.replace(/\.\w+$/, "")}.jpg` : name)
