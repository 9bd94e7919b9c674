// @ts-check
/**
 * What an answer shows in a frame of its own once its reader asks: a picture from elsewhere, a drawing (SVG), a diagram (Mermaid).
 * A frame has no origin, and under its own policy reaches nothing but that one picture (decision 55). Loaded with the first press.
 */
import { t } from "app/i18n.js"
import { drawingPage } from "app/markdown/drawings.js"
import { fill, must, slot } from "app/ui.js"

const PATIENCE = 20_000 // milliseconds until what has not been drawn is given up
const WIDEST = 4_000 // pixels
const FLATTEST = 20 // times as wide as high, or as high as wide

/** Colours of the page (tokens.css) that a diagram is drawn in. */
const COLOURS = ["surface", "sunken", "text", "muted", "line", "accent", "accent-soft", "on-accent", "warn", "warn-soft", "danger-soft", "chart-1", "chart-2", "chart-3"]

/** @typedef {{width?: number, height?: number, failed?: boolean}} Said */
/** @typedef {{frame: HTMLIFrameElement, ask?: () => void, hide: string, show: string, wrong: string}} Shown */

/** @type {Record<string, (box: HTMLElement) => Shown>} */
const KINDS = { picture, drawing, diagram }
/** What ends a frame that is on the page. @type {WeakMap<HTMLElement, AbortController>} */
const ends = new WeakMap()
let drawn = 0

/** Shows what the button stands for, or takes it away again. @param {HTMLElement} button */
export function toggle(button) {
  const box = /** @type {HTMLElement} */ (button.closest(".picture, .code"))
  const kind = KINDS[button.dataset.show ?? ""]
  if (!box || !kind) return
  fill(box, { problem: "" })
  if (ends.has(box)) return takeAway(box, button)
  try {
    put(box, button, kind(box))
  } catch {
    fill(box, { problem: t("js.drawing_wrong") })
  }
}

/** @param {HTMLElement} box @param {HTMLElement} button @param {Shown} shown */
function put(box, button, { frame, ask, hide, show, wrong }) {
  const end = new AbortController()
  const { signal } = end
  const giveUp = (/** @type {string} */ words) => {
    takeAway(box, button)
    fill(box, { problem: words })
  }
  const late = setTimeout(giveUp, PATIENCE, t("js.drawing_late"))
  const finish = () => {
    clearTimeout(late)
    frame.ariaBusy = "false"
  }
  signal.addEventListener("abort", () => clearTimeout(late))
  frame.addEventListener("load", ask ?? finish, { signal })
  if (ask) document.addEventListener("themechange", () => (frame.isConnected ? ask() : end.abort()), { signal })
  addEventListener("message", ({ source, data }) => {
    if (!frame.isConnected) return end.abort() // its conversation was left
    if (source !== frame.contentWindow) return
    finish()
    const { failed, width, height } = /** @type {Said} */ (data)
    if (failed) giveUp(wrong)
    else size(frame, Number(width), Number(height))
  }, { signal })
  ends.set(box, end)
  button.dataset.showWords = show
  fill(button, { show: hide })
  box.classList.add("is-shown")
  box.append(frame)
}

/** @param {HTMLElement} box @param {HTMLElement} button */
function takeAway(box, button) {
  ends.get(box)?.abort()
  ends.delete(box)
  box.querySelector("iframe")?.remove()
  box.classList.remove("is-shown")
  fill(button, { show: button.dataset.showWords ?? "" })
}

/** Its own size, as long as that is one that a page can hold. @param {HTMLElement} frame @param {number} width @param {number} height */
function size(frame, width, height) {
  const wide = width > 0 ? Math.min(width, WIDEST) : 300
  const ratio = width > 0 && height > 0 ? Math.min(Math.max(width / height, 1 / FLATTEST), FLATTEST) : 2
  frame.style.setProperty("--frame-width", `${wide}px`)
  frame.style.setProperty("--frame-ratio", String(ratio))
}

/** @param {HTMLElement} box @returns {Shown} */
function picture(box) {
  const address = must(box, "a").getAttribute("href") ?? ""
  const words = slot(box, "alt").textContent ?? ""
  const frame = framed(`${words} (${++drawn})`, "allow-scripts")
  frame.setAttribute("credentialless", "") // no cookies of its host either, where the browser knows how
  frame.src = "/frames/picture"
  const ask = () => say(frame, { address, words })
  return { frame, ask, show: t("js.show_picture"), hide: t("js.hide_picture"), wrong: t("js.picture_missing") }
}

/** @param {HTMLElement} box @returns {Shown} */
function drawing(box) {
  const { page, width, height } = drawingPage(codeOf(box))
  const frame = framed(t("js.drawing_number", { number: ++drawn }), "")
  frame.srcdoc = page
  size(frame, width, height)
  return { frame, show: t("js.show_drawing"), hide: t("js.show_code"), wrong: t("js.drawing_wrong") }
}

/** @param {HTMLElement} box @returns {Shown} */
function diagram(box) {
  const text = codeOf(box)
  const frame = framed(t("js.drawing_number", { number: ++drawn }), "allow-scripts")
  frame.src = "/frames/diagram"
  const ask = () => say(frame, { text, dark: isDark(), colours: coloursOf(frame) })
  return { frame, ask, show: t("js.show_drawing"), hide: t("js.show_code"), wrong: t("js.drawing_wrong") }
}

/** @param {HTMLElement} box */
function codeOf(box) {
  return must(box, "code").textContent ?? ""
}

/** @param {string} title @param {string} rights */
function framed(title, rights) {
  const frame = document.createElement("iframe")
  frame.className = "framed"
  frame.title = title
  frame.setAttribute("sandbox", rights)
  frame.referrerPolicy = "no-referrer"
  frame.ariaBusy = "true"
  return frame
}

/** A frame without an origin cannot be named by one; another page cannot come to stand in it. @param {HTMLIFrameElement} frame @param {object} words */
function say(frame, words) {
  frame.contentWindow?.postMessage(words, "*")
}

/** As they are now, by their names: a frame without an origin sees no style of the page. @param {HTMLElement} frame */
function coloursOf(frame) {
  const probe = document.createElement("span")
  frame.before(probe)
  const found = COLOURS.map((name) => {
    probe.style.color = `var(--color-${name})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(found)
}

function isDark() {
  const { colorScheme } = getComputedStyle(document.documentElement)
  return colorScheme === "dark" || (colorScheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)
}
