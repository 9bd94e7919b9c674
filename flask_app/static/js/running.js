// @ts-check
/** Answers that are written in conversations nobody looks at. */

const LOOK_EACH = 5_000

/**
 * Has the list come again until they have ended. Where the page is hidden nobody waits: whoever comes back to it is shown the list anew.
 * @param {import("app/sidebar").Sidebar} sidebar @param {() => string | null} shown
 */
export function watchRunning(sidebar, shown) {
  /** @type {Promise<void> | null} */
  let looking = null
  const isWritten = () => [...sidebar.known.values()].some(({ id, running }) => running && id !== shown())

  async function look() {
    while (isWritten()) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EACH))
      if (!document.hidden && isWritten()) await sidebar.renew()
    }
    looking = null
  }

  const begin = () => {
    if (!looking && isWritten()) looking = look()
  }
  sidebar.addEventListener("changed", begin)
  begin()
}
