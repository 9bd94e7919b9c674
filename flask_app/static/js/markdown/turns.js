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

/** @param {() => void} work takes a few milliseconds */
export function inTurn(work) {
  waiting.push(work)
  if (isUnderWay) return
  isUnderWay = true
  queueMicrotask(takeTurn)
}

function takeTurn() {
  const until = performance.now() + SHARE
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
