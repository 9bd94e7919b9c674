// @ts-check
/** The reader's words, numbers, money and times. */

// Where a browser gets this module, the words stand in the place of the next line: flask_app/web/assets.py.
import catalogue from "app/words"

const LONGEST_MESSAGE = 200_000 // bytes

/**
 * @typedef {object} Budget amounts are tokens, or millionths of the currency that `unit` names
 * @property {string} id
 * @property {"user" | "member" | "group" | "site"} scope
 * @property {string} unit
 * @property {"day" | "week" | "month" | "prepaid" | "total"} period
 * @property {boolean} hard
 * @property {number} limit
 * @property {number} full the limit, or what the last top-up made of a balance
 * @property {number} used
 * @property {number} reserved held by answers that are being written
 * @property {number} left
 * @property {"open" | "low" | "exhausted"} state
 * @property {string | null} renews_at null for a balance and for a limit in all
 */

const language = document.documentElement.lang || "en"
const timeZone = document.documentElement.dataset.timezone || undefined

/**
 * @param {string} key as in the catalogue, "js.copy" for instance
 * @param {Record<string, string | number>} [params]
 */
export function t(key, params = {}) {
  const words = catalogue[key] ?? key
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole))
}

/**
 * The sentence for a failure: the server's own, or ours when none reached us.
 * @param {unknown} error
 */
export function sentence(error) {
  const { code, message, status } = /** @type {{code?: string, message?: string, status?: number}} */ (error ?? {})
  if (isUnanswered(code)) return t(`js.error.${isOffline() ? "no_network" : code}`)
  if (code === undefined || code === "unreadable") return t("js.error.server", { status: status ?? "" })
  return message || t("js.error.server", { status: status ?? "" })
}

/** The same of a message whose words are in their field again. @param {unknown} error */
export function sentenceOfUnsent(error) {
  const { code } = /** @type {{code?: string}} */ (error ?? {})
  return isUnanswered(code) && isOffline() ? t("js.error.not_sent") : sentence(error)
}

/** @param {string | undefined} code */
const isUnanswered = (code) => ["offline", "not_loaded", "silent"].includes(code ?? "")
const isOffline = () => globalThis.navigator?.onLine === false

/** For whoever is not signed in any more: the way there and back to this page. @param {unknown} error */
export function wayToSignIn(error) {
  if (/** @type {{code?: string}} */ (error ?? {}).code !== "sign_in_required") return null
  return { href: `/login?next=${encodeURIComponent(location.pathname + location.search)}`, label: t("js.sign_in_again") }
}

// A formatter costs more to make than a page of numbers costs to format: each is made when it is first wanted, and once.
const DAY = 86_400_000
const number = once(() => new Intl.NumberFormat(language))
const compact = once(() => new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }))
const dateTime = once(() => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone }))
const time = once(() => new Intl.DateTimeFormat(language, { timeStyle: "medium", timeZone }))
const percent = once(() => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }))
const calendar = once(() => new Intl.DateTimeFormat("en-US", { timeZone }))
const monthDay = once(() => new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" }))
const dayMonthYear = once(() => new Intl.DateTimeFormat(language, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" }))
const ownDate = once(() => new Intl.DateTimeFormat(language, { year: "numeric", month: "short", day: "numeric", timeZone }))
const yearMonth = once(() => new Intl.DateTimeFormat(language, { year: "numeric", month: "short", timeZone: "UTC" }))
const monthName = once(() => new Intl.DateTimeFormat(language, { month: "short", timeZone: "UTC" }))
const weekday = once(() => new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" }))
const change = once(() => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" }))
const relative = once(() => new Intl.RelativeTimeFormat(language, { numeric: "auto" }))
// Where the reader's own currency has the sign of another one: ￥ is the yen's, $ Taiwan's.
const currencyDisplay = ["ja", "zh-Hant"].includes(language) ? "symbol" : "narrowSymbol"
/** @type {Map<string, Intl.NumberFormat>} */
const money = new Map()

/** @param {number} value */
export const formatNumber = (value) => number().format(value)

/** 12,345 → "1.2万" or "12.3K". @param {number} value */
export const formatCompact = (value) => compact().format(value)

/**
 * Money is integer millionths of a currency; fractions of a cent stay visible.
 * @param {number} micros
 * @param {string} currency ISO 4217
 */
export function formatMoney(micros, currency) {
  const amount = micros / 1_000_000
  const digits = micros === 0 || Math.abs(amount) >= 1 ? 2 : 6
  return moneyFormat(currency, digits).format(amount)
}

/** Tokens or money. @param {number} amount @param {string} unit "tokens" or a currency */
export const formatAmount = (amount, unit) =>
  unit === "tokens" ? t("js.budget.tokens", { count: formatNumber(amount) }) : formatMoney(amount, unit)

/** "Your daily budget" @param {Pick<Budget, "scope" | "period">} budget */
export const nameOfBudget = ({ scope, period }) => t(`js.budget.name_${period}`, { whose: t(`js.budget.whose_${scope}`) })

/** @param {string} currency @param {number} maximumFractionDigits */
function moneyFormat(currency, maximumFractionDigits) {
  const key = `${currency} ${maximumFractionDigits}`
  const style = /** @type {const} */ ({ style: "currency", currencyDisplay, minimumFractionDigits: 2 })
  const format = money.get(key) ?? new Intl.NumberFormat(language, { ...style, currency, maximumFractionDigits })
  money.set(key, format)
  return format
}

/** @param {string} iso */
export const formatDateTime = (iso) => dateTime().format(new Date(iso))

/** To the second; with its date when it is half a day away or more. @param {string} iso */
export function formatTime(iso, now = Date.now()) {
  return Math.abs(Date.parse(iso) - now) < 43_200_000 ? time().format(new Date(iso)) : formatDateTime(iso)
}

/** "China Standard Time" of "Asia/Shanghai". @param {string} zone */
export function nameOfZone(zone) {
  const format = new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: "longGeneric" })
  const name = format.formatToParts().find(({ type }) => type === "timeZoneName")?.value ?? zone
  return name.startsWith("GMT") ? zone : name
}

/** "12 seconds", "2 minutes 5 seconds": whole ones. @param {number} milliseconds */
export function formatDuration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000)
  const parts = [unitFormat("minute", Math.floor(seconds / 60)), unitFormat("second", seconds % 60)]
  return parts.filter(Boolean).join(" ")
}

/** "1 day", "30 days". @param {number} count */
export const formatDayCount = (count) => unitFormat("day", count)

/** With a space before a Chinese unit, as elsewhere on the pages; none of it is nothing. @param {string} unit @param {number} count */
function unitFormat(unit, count) {
  const unitDisplay = language.startsWith("zh") ? "short" : "long" // "秒钟" is said, not written
  const words = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay }).format(count)
  return count ? words.replace(/(\d)(?=\p{Script=Han})/u, "$1 ") : ""
}

/** 0.125 → "12.5%". @param {number} share */
export const formatPercent = (share) => percent().format(share)

/** 0.125 → "+13%", with a minus as wide as the plus. @param {number} share */
export const formatChange = (share) => change().format(share).replace("-", "−")

/** A calendar day as the server names it, "2026-11-25". @param {string} day */
export const formatDay = (day) => monthDay().format(new Date(`${day}T00:00:00Z`))

/** "2026-11" @param {string} month */
export const formatMonth = (month) => yearMonth().format(new Date(`${month}-01T00:00:00Z`))

/** "Nov" of a day. @param {string} day */
export const formatMonthName = (day) => monthName().format(new Date(`${day}T00:00:00Z`))

/** "Wed" @param {string} day */
export const formatWeekday = (day) => weekday().format(new Date(`${day}T00:00:00Z`))

/** "25 Nov 2026" @param {string} day */
export const formatDate = (day) => dayMonthYear().format(new Date(`${day}T00:00:00Z`))

/** "1 – 25 Nov 2026" @param {{from: string, to: string}} days */
export const formatDays = ({ from, to }) => dayMonthYear().formatRange(new Date(`${from}T00:00:00Z`), new Date(`${to}T00:00:00Z`))

/** The same between two moments, by the reader's clock. @param {string} from @param {string} to */
export const formatSpan = (from, to) => ownDate().formatRange(new Date(from), new Date(to))

/** A time at the beginning of its calendar day, in the reader's zone, as far as days can be counted by it. @param {number} time */
const dayOf = (time) => Date.parse(calendar().format(time))

/** "3 minutes ago", from a day on by the calendar, up to a week; the date after that. @param {string} iso */
export function formatAgo(iso, now = Date.now()) {
  const seconds = (Date.parse(iso) - now) / 1000
  if (seconds > -60) return relative().format(0, "second")
  if (seconds > -3600) return relative().format(Math.round(seconds / 60), "minute")
  if (seconds > -86_400) return relative().format(Math.round(seconds / 3600), "hour")
  if (seconds > -7 * 86_400) return relative().format(Math.round((dayOf(Date.parse(iso)) - dayOf(now)) / DAY), "day")
  return formatDateTime(iso)
}

const ownMonth = once(() => new Intl.DateTimeFormat(language, { year: "numeric", month: "long" }))
/** Of this day, by time: a list of ten thousand asks again for each. @type {Map<string, string>} */
const periods = new Map()
let dayEnds = 0

/** "Today", "Previous 7 days", "November 2026": what a list of things by day is divided into. @param {string} iso */
export function formatPeriod(iso) {
  if (Date.now() >= dayEnds) {
    periods.clear()
    dayEnds = new Date().setHours(24, 0, 0, 0)
  }
  const known = periods.get(iso) ?? periodOf(iso)
  periods.set(iso, known)
  return known
}

/** @param {string} iso */
function periodOf(iso) {
  const midnight = new Date().setHours(0, 0, 0, 0)
  const then = Date.parse(iso)
  if (then >= midnight) return t("js.today")
  if (then >= midnight - DAY) return t("js.yesterday")
  if (then >= midnight - 7 * DAY) return t("js.last_7_days")
  if (then >= midnight - 30 * DAY) return t("js.last_30_days")
  return ownMonth().format(then)
}

/** @template T @param {() => T} make */
function once(make) {
  /** @type {T | undefined} */
  let made
  return () => (made ??= make())
}

const LOW = 0.2 // of a budget

/** The one that is nearest to its end. @param {Budget[]} budgets */
export function tightestOf(budgets) {
  return [...budgets].sort((one, other) => roomIn(one) - roomIn(other))[0]
}

/** One that is used up comes first; one that only warns gives way to a hard one that is low. @param {Budget} budget */
function roomIn({ hard, full, left, state }) {
  if (hard && state === "exhausted") return -1
  return (full ? left / full : 0) + (hard ? 0 : LOW)
}

/** The line by the composer: of the tightest one, and of today where that is another's. @param {Budget[]} budgets @param {{isAdmin?: boolean}} [reader] */
export function lineOfLeft(budgets, reader) {
  const tightest = tightestOf(budgets)
  if (!tightest) return ""
  const isAlone = tightest.period === "day" || tightest.state === "exhausted"
  const today = isAlone ? undefined : tightestOf(budgets.filter(({ period, state }) => period === "day" && state !== "exhausted"))
  return leftWords(tightest, reader) + (today ? ` · ${plainLeft(today)}` : "")
}

/** @param {Budget} budget @param {{isAdmin?: boolean}} [reader] */
export function leftWords(budget, { isAdmin = false } = {}) {
  const { scope, unit, hard, limit, used, reserved, state, renews_at: renewal } = budget
  if (state === "exhausted") {
    const amounts = { limit: formatAmount(limit, unit), used: formatAmount(used, unit) }
    const help = t(`js.budget.help_${isAdmin ? "admin" : renewal ? "renewing" : scope}`)
    if (renewal === null) return t("js.budget.balance_exhausted", { budget: nameOfBudget(budget), help })
    const words = { budget: nameOfBudget(budget), renewal: formatDateTime(renewal), help, ...amounts }
    return t(hard ? "js.budget.exhausted" : "js.budget.reached", words)
  }
  const held = state === "low" && reserved > 0
  return held ? t("js.budget.left_and_held", { left: plainLeft(budget), amount: formatAmount(reserved, unit) }) : plainLeft(budget)
}

/** @param {Budget} budget */
function plainLeft({ scope, unit, period, left }) {
  const whose = scope === "group" || scope === "site" ? t(`js.budget.for_${scope}`) : ""
  return t(`js.budget.left_${period}`, { whose, amount: formatAmount(left, unit) })
}

/** What is to be said of a message that is too long, else nothing. @param {number} size in bytes */
export function sentenceOfSize(size) {
  return size > LONGEST_MESSAGE ? t("js.message_too_long", { size: Math.ceil(size / 1000), limit: LONGEST_MESSAGE / 1000 }) : ""
}

/** What this site is called: administrators may have named it. */
export function siteName() {
  return document.querySelector('meta[name="application-name"]')?.getAttribute("content") ?? ""
}
