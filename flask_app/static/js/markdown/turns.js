// @ts-check
/**
 * Work on the page in small pieces: a share of this frame at once, and what is left when the page has had its turn. An
 * answer may hold ten thousand formulas; the page answers to a press all the same.
 */

const SHARE = 12 // milliseconds
const MOST_AWAITED = 1000 // also milliseconds

/** @type {(() => void)[]} */
let waiting = []
let isUnderWay = false
let isPrinting = false

/** What was begun, and has not come yet. @type {Set<Promise<unknown>>} */
const coming = new Set()

/** @type {(() => void)[]} */
const drawers = []

globalThis.addEventListener?.("beforeprint", () => {
  isPrinting = true
  for (const draw of drawers) draw()
  takeTurn() // paper has one turn for all
})
globalThis.addEventListener?.("afterprint", () => (isPrinting = false))

/** Draws what is not there yet before it is printed; whoever listens to "beforeprint" finds it there. @param {() => void} draw */
export const drawForPaper = (draw) => drawers.push(draw)

/** @param {() => void} work takes a few milliseconds @returns {Promise<void>} once it is done */
export function inTurn(work) {
  const done = new Promise((/** @type {(nothing: void) => void} */ resolve) => waiting.push(work, resolve))
  if (!isUnderWay) queueMicrotask(takeTurn)
  isUnderWay = true
  return done
}

/** Something that the page is to get. @param {Promise<unknown>} work */
export function noteComing(work) {
  const gone = () => coming.delete(work)
  coming.add(work)
  work.then(gone, gone)
}

/** Once the page has all of it; what stays away is waited for no longer than that. @param {number} patience milliseconds */
export async function allCome(patience) {
  const late = new Promise((resolve) => setTimeout(resolve, patience))
  const all = async () => {
    while (coming.size) await Promise.allSettled(coming)
  }
  await Promise.race([all(), late])
}

function takeTurn() {
  const until = isPrinting ? Infinity : performance.now() + SHARE
  let done = 0
  while (done < waiting.length && performance.now() < until) {
    try {
      waiting[done++]?.()
    } catch (error) {
      console.error(error) // the others have their turn all the same
    }
  }
  waiting = waiting.slice(done)
  isUnderWay = waiting.length > 0
  if (isUnderWay) setTimeout(takeTurn)
}

/** Safari knows no idle time; Chromium knows none where no frame is drawn. @param {(left: number) => void} work is told how many milliseconds it may take */
export function whenIdle(work) {
  if (!("requestIdleCallback" in globalThis)) return setTimeout(() => work(0), 30)
  return requestIdleCallback((deadline) => work(deadline.timeRemaining() / 2), { timeout: MOST_AWAITED })
}

/** @param {number} idle what `whenIdle` gave */
export function cancelIdle(idle) {
  if ("cancelIdleCallback" in globalThis) cancelIdleCallback(idle)
  else clearTimeout(idle)
}
