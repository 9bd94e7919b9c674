// @ts-check
/** The one way to the server's JSON: the CSRF token goes along, a failure comes back as an ApiError. And what of it is asked as the API takes it. */

const CSRF_HEADER = "X-CSRF-Token"
const PATIENCE = 30_000 // milliseconds

/**
 * @typedef {{code: string, message: string, request_id?: string, params?: Record<string, unknown>}} ErrorBody
 */

export class ApiError extends Error {
  /**
   * @param {number} status 0 when no answer came at all
   * @param {ErrorBody} body
   * @param {number | null} [retryAfter] seconds
   */
  constructor(status, body, retryAfter = null) {
    super(body.message)
    this.name = "ApiError"
    this.status = status
    this.code = body.code
    this.requestId = body.request_id ?? null
    this.params = body.params ?? {}
    this.retryAfter = retryAfter
  }
}

/** A random key for one send, the same on every retry. getRandomValues works on plain http too. */
export function newIdempotencyKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** @param {string} text its size in bytes as the server counts it */
export function byteLength(text) {
  return new TextEncoder().encode(text).length
}

/** Whether what was asked for is not there, or no more. @param {unknown} error */
export function isGone(error) {
  const { code } = /** @type {{code?: string}} */ (error ?? {})
  return code === "not_found" || code === "conversation_gone"
}

/** Was the server not reached, or not able to answer? It may be a moment later. @param {unknown} error */
export function isAway(error) {
  return !(error instanceof ApiError) || error.status === 0 || error.status >= 500
}

/** Is that a part of the page which could not be loaded? @param {unknown} error */
export function isNotLoaded(error) {
  return /** @type {{code?: string}} */ (error ?? {}).code === "not_loaded"
}

/**
 * A part of the page that is loaded when it is needed. Throws ApiError where it cannot be had: the line is lost, or the page is from
 * before an upgrade, and the site has other parts now.
 * @template T @param {Promise<T>} part @returns {Promise<T>}
 */
export function loaded(part) {
  return part.catch((error) => {
    console.warn(error)
    throw new ApiError(0, { code: "not_loaded", message: "" })
  })
}

/**
 * Loads a part of the page with the first event that asks for it. Where it cannot be had, that is told and the next one asks again.
 * @param {EventTarget} target @param {string} name of the event @param {(event: Event) => Promise<unknown> | null | false} load null or false: this one does not ask
 * @param {(error: unknown) => void} fail
 */
export function loadWith(target, name, load, fail) {
  const listen = async (/** @type {Event} */ event) => {
    const part = load(event)
    if (!part) return
    target.removeEventListener(name, listen)
    await loaded(part).catch((error) => {
      target.addEventListener(name, listen)
      fail(error)
    })
  }
  target.addEventListener(name, listen)
}

/**
 * What is there within half a minute; a server that is silent for longer is given up with an ApiError, and what was asked is called back.
 * @template T @param {(signal: AbortSignal) => Promise<T>} ask @returns {Promise<T>}
 */
export function inTime(ask) {
  const waiting = new AbortController()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ApiError(0, { code: "silent", message: "" }))
      waiting.abort()
    }, PATIENCE)
    ask(waiting.signal).finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}

/** The same, when whatever else the page has to do, a press for instance, has had its turn. @template T @param {T} value @returns {Promise<T>} */
export function aTurnLater(value) {
  return new Promise((resolve) => setTimeout(() => resolve(value)))
}

export const api = {
  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  get: (path, init) => json("GET", path, undefined, init),
  /** @param {string} path @param {unknown} [body] @returns {Promise<any>} */
  post: (path, body = {}) => json("POST", path, body),
  /** @param {string} path @param {unknown} body @returns {Promise<any>} */
  put: (path, body) => json("PUT", path, body),
  /** @param {string} path @param {unknown} body @returns {Promise<any>} */
  patch: (path, body) => json("PATCH", path, body),
  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  delete: (path, init) => json("DELETE", path, undefined, init),
}

/**
 * A request whose answer is read by the caller, such as an event stream. Throws ApiError unless it is 2xx.
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
export function request(path, init = {}) {
  return answerTo(() => reach(path, init))
}

/** The same where it is asked in a way of its own, which takes `csrfHeader()` along. @param {() => Promise<Response>} ask */
export async function answerTo(ask) {
  const response = await ask()
  const renewed = response.headers.get(CSRF_HEADER) // a new password brings a new session and its token
  if (renewed) keepCsrfToken(renewed)
  if (response.ok) return response
  const error = await errorOf(response)
  if (!(await mended(error))) throw error
  const again = await ask()
  if (again.ok) return again
  throw await errorOf(again)
}

/** @returns {Record<string, string>} */
export const csrfHeader = () => ({ [CSRF_HEADER]: csrfMeta()?.getAttribute("content") ?? "" })

/** @param {string} token */
export function keepCsrfToken(token) {
  csrfMeta()?.setAttribute("content", token)
}

/** Whether what was refused may be asked for once more. @param {ApiError} error */
async function mended({ code }) {
  if (code === "csrf_failed") return renewCsrfToken()
  if (code !== "password_needed") return false
  const { passwordGiven } = await loaded(import("app/admin/password-again.js"))
  return passwordGiven()
}

/**
 * Another tab has renewed the session, and with it the token. Whether the session is still this page's person's;
 * throws ApiError where nobody is signed in any more.
 */
async function renewCsrfToken() {
  const response = await reach("/api/me", { headers: { Accept: "application/json" } })
  if (!response.ok) throw await errorOf(response)
  const { user, csrf_token: token } = await response.json()
  const same = user.id === document.querySelector('meta[name="person"]')?.getAttribute("content")
  if (same) keepCsrfToken(token)
  return same
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {RequestInit} [init]
 */
async function json(method, path, body, init = {}) {
  const headers = new Headers(init.headers)
  headers.set("Accept", "application/json")
  const response = await request(path, { ...init, method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  return response.status === 204 ? null : response.json()
}

/** @param {string} path @param {RequestInit} init */
async function reach(path, init) {
  const headers = new Headers(init.headers)
  if (init.method && init.method !== "GET") {
    headers.set("Content-Type", "application/json")
    headers.set(CSRF_HEADER, csrfMeta()?.getAttribute("content") ?? "")
  }
  try {
    return await fetch(path, { ...init, headers, credentials: "same-origin" })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new ApiError(0, { code: "offline", message: "" })
  }
}

/** @param {Response} response */
async function errorOf(response) {
  return new ApiError(response.status, await errorBody(response), retryAfterOf(response))
}

/** @param {Response} response @returns {Promise<ErrorBody>} */
async function errorBody(response) {
  try {
    const { error } = await response.json()
    if (typeof error?.code === "string") return error
  } catch {
    // A proxy's page instead of our JSON: the status is all there is to go by.
  }
  return { code: "unreadable", message: "" }
}

/** @param {Response} response */
function retryAfterOf(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10)
  return Number.isFinite(seconds) ? seconds : null
}

function csrfMeta() {
  return document.querySelector('meta[name="csrf-token"]')
}

/** Where the browser keeps how its person likes models to think. */
export const THINKING_CHOICE = "thinking"

/** @typedef {{thinking: boolean, efforts: string[]}} Thinking what a model can */

/** How a model may think: off first, with an effort where it knows some. @param {Thinking | undefined} model */
export const waysOf = (model) => (model?.thinking ? ["off", ...(model.efforts.length ? model.efforts : ["on"])] : [])

/** As is wanted, or the person likes it; where the model does not know that, high is on. @param {Thinking | undefined} model @param {boolean | string} [wanted] */
export function wayOf(model, wanted = asAsked(localStorage.getItem(THINKING_CHOICE) ?? "off")) {
  const [ways, way] = [waysOf(model), wanted === true ? "on" : wanted || "off"]
  return ways.includes(way) ? way : (ways.find((each) => ["on", "high"].includes(each)) ?? "")
}

/** As the API takes it. @param {string} way "" of a model that cannot think */
export const asAsked = (way) => (way === "off" || way === "on" ? way === "on" : way || undefined)
