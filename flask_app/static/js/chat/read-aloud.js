// @ts-check
/** Reads one answer aloud by the browser's own voices; a second press stops, and so does whatever takes the answer off the page. */
import { t } from "app/i18n.js"
import { spokenPieces, withRegion } from "app/chat/spoken.js"
import { must, toast } from "app/ui.js"

const VOICES_TAKE = 1000 // milliseconds at most: some browsers look for their voices when first asked
const STOPPED = ["canceled", "interrupted"]

/** @type {HTMLElement | null} the button of the answer that is read */
let pressed = null
/** Kept until they have been spoken: a browser forgets the ends of those that nobody holds. @type {SpeechSynthesisUtterance[]} */
let utterances = []

addEventListener("pagehide", stop)
const messages = must(document, "[data-messages]")
new MutationObserver(stopIfGone).observe(messages, { childList: true })
new MutationObserver(stopIfGone).observe(messages, { attributeFilter: ["hidden"], subtree: true }) // while an answer goes on

/** @param {import("app/chat/answer.js").Answer} answer @param {HTMLElement} button */
export async function readAloud(answer, button) {
  const isSecond = button === pressed
  stop()
  if (isSecond || !button.isConnected) return
  show(button, true)
  const page = withRegion(document.documentElement.lang)
  const pieces = spokenPieces(answer.drawn, { code: t("js.read_code"), formula: t("js.read_formula"), page })
  const voices = await voicesHere()
  if (pressed === button) speak(pieces, voices)
}

/** @param {import("app/chat/spoken.js").Piece[]} pieces @param {SpeechSynthesisVoice[]} voices */
function speak(pieces, voices) {
  utterances = pieces.map(({ text, language }) => {
    const utterance = new SpeechSynthesisUtterance(text)
    utterance.lang = language
    utterance.voice = voiceFor(language, voices)
    utterance.onerror = ({ error }) => ended(utterance, !STOPPED.includes(error))
    return utterance
  })
  const last = utterances.at(-1)
  if (!last) return stop()
  last.onend = () => utterances.includes(last) && stop()
  for (const utterance of utterances) speechSynthesis.speak(utterance)
}

/** Stopped from elsewhere, as by another tab, or failed. @param {SpeechSynthesisUtterance} utterance @param {boolean} isFault */
function ended(utterance, isFault) {
  if (!utterances.includes(utterance)) return
  stop()
  if (isFault) toast(t("js.read_failed"), { kind: "danger" })
}

function stopIfGone() {
  if (pressed && (!pressed.isConnected || pressed.closest("[hidden]"))) stop()
}

function stop() {
  utterances = []
  if (pressed) show(pressed, false)
  speechSynthesis.cancel()
}

/** @param {HTMLElement} button @param {boolean} reads */
function show(button, reads) {
  pressed = reads ? button : null
  button.toggleAttribute("data-reading", reads)
  button.ariaLabel = t(reads ? "js.read_stop" : "js.read_aloud")
  button.title = t(reads ? "js.read_stop" : "js.read_hint")
}

/** @returns {Promise<SpeechSynthesisVoice[]>} */
async function voicesHere() {
  const there = speechSynthesis.getVoices()
  if (there.length) return there
  await new Promise((resolve) => {
    speechSynthesis.addEventListener("voiceschanged", resolve, { once: true })
    setTimeout(resolve, VOICES_TAKE)
  })
  return speechSynthesis.getVoices()
}

/**
 * One of the device itself where there is one: others send the text to the browser's maker.
 * @param {string} language @param {SpeechSynthesisVoice[]} voices
 */
export function voiceFor(language, voices) {
  const exactly = (language === "zh-Hant" ? "zh-TW" : language).toLowerCase() // voices tell a place, not a script
  const [spoken] = exactly.split("-")
  const tag = (/** @type {SpeechSynthesisVoice} */ { lang }) => lang.replace("_", "-").toLowerCase()
  const worth = (/** @type {SpeechSynthesisVoice} */ voice) =>
    4 * Number(voice.localService) + 2 * Number(tag(voice) === exactly) + Number(voice.default)
  const fitting = voices.filter((voice) => tag(voice).split("-")[0] === spoken)
  return fitting.toSorted((one, other) => worth(other) - worth(one))[0] ?? null
}
