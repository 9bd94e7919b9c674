// @ts-check
/**
 * Colours for code. What is short gets them on the spot. A highlighter reads some texts again from every character on, and
 * needs ten seconds for 40,000 of them: what is long goes to a worker, which is ended when it takes too long.
 */
import { aTurnLater, loaded } from "app/api.js"
import { inTurn } from "app/markdown/turns.js"
import { tell } from "app/ui.js"

export const SHORT = 4_000 // characters
export const LONGEST = 40_000 // also characters; beyond that colouring would be felt
const PATIENCE = 1_500 // milliseconds for one piece
const LOADING = 30_000 // milliseconds until the worker is given up that has not come
const PAUSE = 3_000 // milliseconds before a library is asked for again
const MOST_LEFT = 50 // pieces that no worker came for
const LATE = 2_000 // milliseconds in which the next library waits for the one before
const REST = 200 // milliseconds in which a slow phone brings the text to the screen

const highlighter = library(() => import("highlight.js").then((module) => module.default))
/** @type {Worker | null} */
let worker = null
/** The library that comes. @type {Promise<unknown>} */
let before = Promise.resolve()
/** One long piece after the other. @type {Promise<unknown>} */
let turn = Promise.resolve()
/** Pieces that no worker came for: they have their turn again with the next that comes. @type {(() => void)[]} */
const left = []

/**
 * @param {string} code
 * @param {string} language
 * @param {{isWanted: () => boolean, show: (html: string) => void, otherwise?: () => void}} options `show` gets HTML, unless the language is unknown or it takes too long
 */
export async function colour(code, language, { isWanted, show, otherwise = () => {} }) {
  const give = (/** @type {string | null} */ html) => isWanted() && (html === null ? otherwise() : show(html))
  const elsewhere = async () => isWanted() && give(await colouredElsewhere(code, language, () => inLine(elsewhere)))
  if (code.length > SHORT) return void (await inLine(elsewhere))
  const hljs = await highlighter()
  await inTurn(() => {
    if (isWanted()) give(hljs.getLanguage(language) ? hljs.highlight(code, { language, ignoreIllegals: true }).value : null)
  })
}

/** What goes wrong with one piece holds up no other. @param {() => Promise<unknown>} piece */
function inLine(piece) {
  return (turn = turn.then(piece).catch(console.error))
}

/**
 * A large library, loaded when it is first needed. Where it could not be had that is told, and it is tried again when it is needed
 * later; once it has come it is given to all who have waited for it.
 * @template T @param {() => Promise<T>} load @returns {() => Promise<T>}
 */
export function library(load) {
  /** @type {(whole: T) => void} */
  let come
  /** @type {Promise<T>} */
  const whole = new Promise((resolve) => (come = resolve))
  let isTried = false
  const failed = (/** @type {unknown} */ error) => {
    tell(error)
    setTimeout(() => (isTried = false), PAUSE)
  }
  return () => {
    if (!isTried) loaded(inOrder(load)).then(come, failed)
    isTried = true
    return whole
  }
}

/** Two that come at once would take a frame from whoever scrolls: one comes after the other, unless that one is late. @template T @param {() => Promise<T>} load @returns {Promise<T>} */
function inOrder(load) {
  const coming = before.then(painted).then(load).then(aTurnLater)
  before = Promise.race([coming.then(painted, () => undefined), new Promise((resolve) => setTimeout(resolve, LATE))])
  return coming
}

/** The text is seen before the large libraries take the line and the processor: the frame after the next begins once it is. */
function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, REST))))
}

/** @param {string} code @param {string} language @param {() => void} again asks for it once more @returns {Promise<string | null>} */
async function colouredElsewhere(code, language, again) {
  worker ??= await begun()
  if (!worker && left.length < MOST_LEFT) left.push(again)
  const html = worker && (await said(worker, { code, language }, PATIENCE))
  if (html !== undefined) return html
  worker?.terminate()
  worker = null
  return null
}

/** null where it could not be loaded: the next piece tries again. */
async function begun() {
  await painted()
  const made = new Worker(import.meta.resolve("app/markdown/colour-worker.js"), { type: "module" })
  const library = import.meta.resolve("highlight.js") // a worker has no import map
  if ((await said(made, { library }, LOADING)) === undefined) {
    made.terminate()
    return null
  }
  for (const again of left.splice(0)) again()
  return made
}

/**
 * What the worker replies; undefined where it fails, or takes too long.
 * @param {Worker} to @param {object} message @param {number} patience milliseconds
 * @returns {Promise<any>}
 */
function said(to, message, patience) {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), patience)
    to.onmessage = ({ data }) => resolve(data)
    to.onerror = () => resolve(undefined)
    to.postMessage(message)
  })
}
