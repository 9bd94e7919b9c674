// @ts-check
/** What happens in conversations by itself: answers that are written where nobody looks, and the titles that follow first answers. */

const LOOK_EACH = 5_000
const TITLE_LOOKS = [1_000, 2_000, 4_000, 8_000] // from one to the next

/**
 * Has the list come again until those answers have ended. Where the page is hidden only what `isAwaited` is waited for: whoever comes
 * back to it is shown the list anew. Gives what to call with a conversation whose first answer has ended here.
 * @param {import("app/sidebar/sidebar.js").Sidebar} sidebar @param {() => string | null} shown
 * @param {{titles: boolean, isAwaited: () => boolean}} about `titles`: does a model write them?
 */
export function watchRunning(sidebar, shown, { titles, isAwaited }) {
  /** @type {Promise<void> | null} */
  let looking = null
  // Of what is archived the list does not tell.
  const isWritten = () => [...sidebar.known.values()].some(({ id, running, archived }) => running && !archived && id !== shown())

  async function look() {
    while (isWritten()) {
      await renewAfter(LOOK_EACH, isWritten)
      if (titles && !isWritten()) await renewAfter(LOOK_EACH) // what was first there may have its title now
    }
    looking = null
  }

  /** @param {number} pause @param {() => boolean} [isWanted] */
  async function renewAfter(pause, isWanted = () => true) {
    await new Promise((resolve) => setTimeout(resolve, pause))
    if ((!document.hidden || isAwaited()) && isWanted()) await sidebar.renew()
  }

  /** @param {string} id */
  async function lookForTitle(id) {
    const before = sidebar.get(id)?.title
    for (const pause of titles ? TITLE_LOOKS : []) {
      await renewAfter(pause)
      if (sidebar.get(id)?.title !== before) return
    }
  }

  const begin = () => {
    if (!looking && isWritten()) looking = look()
  }
  sidebar.addEventListener("changed", begin)
  begin()
  return lookForTitle
}
