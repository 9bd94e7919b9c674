// @ts-check
/** A year's days as a calendar lays them out, and how deep each is to be coloured. */

const LEVELS = 4
const DAYS_A_WEEK = 7
const MILLISECONDS_A_DAY = 86_400_000

/** @typedef {{day: string, week: number, weekday: number}} Place columns are weeks from 0, rows weekdays from Monday, 0 */

/** Where each day of the year stands. @param {number} year @returns {Place[]} */
export function placesOf(year) {
  const first = Date.UTC(year, 0, 1)
  const count = (Date.UTC(year + 1, 0, 1) - first) / MILLISECONDS_A_DAY
  const before = (new Date(first).getUTCDay() + DAYS_A_WEEK - 1) % DAYS_A_WEEK // days of the first week that are last year's
  return Array.from({ length: count }, (_, index) => ({
    day: new Date(first + index * MILLISECONDS_A_DAY).toISOString().slice(0, 10),
    week: Math.floor((before + index) / DAYS_A_WEEK),
    weekday: (before + index) % DAYS_A_WEEK,
  }))
}

/** From 0 (none) to 4: a quarter of the days that have any is of each level, so one great day hides no others. @param {number[]} amounts */
export function levelsOf(amounts) {
  const used = amounts.filter((amount) => amount > 0).sort((one, other) => one - other)
  return amounts.map((amount) => (amount > 0 ? Math.ceil((LEVELS * (used.lastIndexOf(amount) + 1)) / used.length) : 0))
}
