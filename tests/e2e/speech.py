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
