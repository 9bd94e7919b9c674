// @ts-check
/** Asking a server again that has had enough for a while, when it says that one may. */
import { ApiError } from "app/api.js"

const MOST_WAITS = 20

/** Null where `signal` came while it waited to ask again. @template T @param {() => Promise<T>} ask @param {AbortSignal} signal @param {number} [most] waits */
export async function patiently(ask, signal, most = MOST_WAITS) {
  for (let waits = 0; ; waits++) {
    try {
      return await ask()
    } catch (error) {
      const seconds = error instanceof ApiError ? error.retryAfter : null
      if (seconds === null || waits >= most) throw error
      await pause(seconds, signal)
      if (signal.aborted) return null
    }
  }
}

/** As long, or until the signal. @param {number} seconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(seconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000)
    signal.addEventListener("abort", () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
}
