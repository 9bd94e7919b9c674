// @ts-check
/** A wall clock's time in a time zone as an instant, and back: what <input type="datetime-local"> shows. */

/** The instant at which clocks there show `local`, such as "2026-12-01T00:00". @param {string} local @param {string} timeZone */
export function instantOf(local, timeZone) {
  const shown = Date.parse(`${local}Z`)
  // The offset holds at the instant, which is not known yet: a second look mends what a change of clocks has moved.
  const guess = shown - offsetAt(shown, timeZone)
  return new Date(shown - offsetAt(guess, timeZone)).toISOString()
}

/** What clocks there show at an instant, to the second. @param {string} iso @param {string} timeZone */
export function localOf(iso, timeZone) {
  const instant = Date.parse(iso)
  return new Date(instant + offsetAt(instant, timeZone)).toISOString().slice(0, 19)
}

/** Milliseconds that clocks there are ahead of UTC. @param {number} instant @param {string} timeZone */
function offsetAt(instant, timeZone) {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" })
  /** @type {Record<string, number>} */
  const part = {}
  for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value)
  const { year = 0, month = 1, day, hour, minute, second } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000
}
