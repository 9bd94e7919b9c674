"""Voices that a test can follow, in the place of the browser's own: no browser without a screen has any."""

from typing import Any

from playwright.sync_api import Page

VOICES = """
  const voices = [["English", "en-US"], ["中文", "zh-CN"]].map(([name, lang]) =>
    ({ name, lang, localService: true, default: false, voiceURI: name }))
  let queue = []
  window.spoken = []
  class Utterance { constructor(text) { this.text = text; this.lang = ""; this.voice = null } }
  class Voices extends EventTarget {
    getVoices() { return voices }
    speak(utterance) {
      if (!utterance.text) return
      queue.push(utterance)
      window.spoken.push({ text: utterance.text, lang: utterance.lang, voice: utterance.voice?.name ?? null })
    }
    cancel() {
      const stopped = queue
      queue = []
      for (const each of stopped) each.onerror?.({ error: "canceled" })
    }
  }
  const fake = new Voices()
  window.finish = () => { while (queue.length) queue.shift().onend?.({}) }
  window.waiting = () => queue.length
  Object.defineProperty(window, "speechSynthesis", { value: fake, configurable: true })
  window.SpeechSynthesisUtterance = Utterance
"""


def give_voices(page: Page) -> None:
    """Let the page have voices from its next load on."""
    page.add_init_script(VOICES)
    page.reload()


def spoken(page: Page) -> list[dict[str, Any]]:
    """All that was to be spoken, in order."""
    said: list[dict[str, Any]] = page.evaluate("window.spoken")
    return said


def still_to_speak(page: Page) -> int:
    count: int = page.evaluate("window.waiting()")
    return count


def finish(page: Page) -> None:
    """Let all be spoken to its end."""
    page.evaluate("window.finish()")


EARS = """
  window.ears = []
  class Ears extends EventTarget {
    constructor() { super(); this.results = [] }
    start() { window.ears.push(this); this.tell("start") }
    stop() { this.tell("end") }
    abort() { this.tell("error", { error: "aborted" }); this.tell("end") }
    tell(name, what = {}) { this.dispatchEvent(Object.assign(new Event(name), what)) }
  }
  window.SpeechRecognition = Ears
  window.hear = (results) => {
    const ears = window.ears.at(-1)
    const heard = results.map(([transcript, isFinal]) => Object.assign([{ transcript, confidence: 0.9 }], { isFinal }))
    ears.tell("result", { results: heard, resultIndex: 0 })
  }
  window.fail = (error) => { window.ears.at(-1).tell("error", { error }); window.ears.at(-1).tell("end") }
"""


def give_ears(page: Page) -> None:
    """Let the page hear what a test says, from its next load on."""
    page.add_init_script(EARS)
    page.reload()


def say_aloud(page: Page, *results: tuple[str, bool]) -> None:
    """All that has been heard since it listens: words, and whether they are sure."""
    page.evaluate("results => window.hear(results)", [list(result) for result in results])


def fail_to_hear(page: Page, problem: str) -> None:
    page.evaluate("problem => window.fail(problem)", problem)


def ears(page: Page) -> list[dict[str, Any]]:
    """How each press has had the browser listen."""
    made: list[dict[str, Any]] = page.evaluate("window.ears.map(({ lang, continuous }) => ({ lang, continuous }))")
    return made
