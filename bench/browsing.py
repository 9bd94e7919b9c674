"""Pages in Chromium that note how long their tasks, frames and keys take."""

from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.e2e.site import Site

FRAME = 50  # milliseconds, as browsers take a task or a frame for a long one

# Notes tasks and frames that browsers call long, how far each frame is from the one before, and how long keys wait.
NOTES = """
window.notes = {long: [], slow: [], frames: [], keys: []}
const note = (type, add) =>
  new PerformanceObserver(list => list.getEntries().forEach(add)).observe({type, buffered: true})
note("longtask", ({duration}) => notes.long.push(duration))
note("long-animation-frame", ({duration}) => notes.slow.push(duration))
let before = 0
const frame = now => {
  if (before) notes.frames.push(now - before)
  before = now
  requestAnimationFrame(frame)
}
requestAnimationFrame(frame)
let pressed = 0
addEventListener("keydown", ({timeStamp}) => pressed = timeStamp, true)
addEventListener("input", () => notes.keys.push(performance.now() - pressed)) // after the page's own listeners
"""
FORGET = "() => { for (const each of Object.values(notes)) each.length = 0 }"


@dataclass(frozen=True)
class Bench:
    """As wide as a window or a phone, and as quick as this machine."""

    browser: Browser
    site: Site
    size: ViewportSize

    @property
    def is_phone(self) -> bool:
        return self.size["width"] < 500

    @property
    def where(self) -> str:
        return f"{self.size['width']} px"

    def visit(self) -> Page:
        """A page that nobody has opened before, of the administrator."""
        context: BrowserContext = self.browser.new_context(
            base_url=self.site.url,
            locale="en-US",
            viewport=self.size,
            is_mobile=self.is_phone,
            has_touch=self.is_phone,
        )
        name, value = self.site.session
        context.add_cookies([{"name": name, "value": value, "url": self.site.url}])
        context.add_init_script(NOTES)
        return context.new_page()

    def open_list(self, page: Page) -> None:
        if self.is_phone:
            page.locator("[data-drawer-open]").click()


def heap(page: Page) -> float:
    """Megabytes of JavaScript in use once what lies free has been collected."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("HeapProfiler.collectGarbage")
    return float(protocol.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
