"""Browsers of our own, one a visit: each with its language, size and colours, watched from the first request."""

import os
import time
from contextlib import suppress
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize

from tests.e2e.site import Site
from tests.e2e.watch import Watch

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
NARROWEST: ViewportSize = {"width": 360, "height": 740}
SAVING_SECONDS = 5  # what a test itself holds back is not waited for longer
ASK_NO_MORE = "() => { window.fetch = () => new Promise(() => undefined) }"
LANGUAGES = {"zh": "zh-CN", "zh-Hant": "zh-TW", "en": "en-GB", "ja": "ja-JP"}

# `make e2e LOOKS=others` opens each page as it is not opened otherwise: in the other colours, and with motion.
OTHER_LOOKS = os.environ.get("LOOKS") == "others"

# Whatever moved by time, and not for ever, stands still. Asked anew in each frame: `finished` of one that is taken away
# may never be told.
AT_REST = """(async () => {
    const ends = ({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime)
    const moves = (each) => each.timeline === document.timeline && each.playState === "running" && ends(each)
    while (document.getAnimations().some(moves)) await new Promise(requestAnimationFrame)
})()"""

Scheme = Literal["light", "dark"]


class Visits:
    """Opens pages of one site; all close together."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.site = site
        self._browser = browser
        self._watched: list[tuple[BrowserContext, Watch]] = []

    def open(
        self,
        path: str = "/",
        *,
        locale: str = "en",
        viewport: ViewportSize = WIDE,
        scheme: Scheme | None = None,
        signed_in: bool = True,
        scale: float = 1,
        installs: bool = False,
    ) -> Page:
        """A page in a new browser, signed in as the administrator unless told otherwise.

        In Chinese it is dark unless told otherwise: whatever is tried in two languages is tried in both schemes.
        Only where it `installs` does the site's worker stand before its pages: nothing else could hold their requests.
        """
        is_dark = scheme == "dark" or (scheme is None and locale == "zh")
        context = self._browser.new_context(
            base_url=self.site.url,
            locale=LANGUAGES[locale],
            viewport=viewport,
            color_scheme="dark" if is_dark != OTHER_LOOKS else "light",
            reduced_motion="no-preference" if OTHER_LOOKS else "reduce",
            timezone_id="Asia/Shanghai",
            device_scale_factor=scale,
            service_workers="allow" if installs else "block",
            is_mobile=viewport["width"] < 500,
            has_touch=viewport["width"] < 500,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(30_000)
        self._watched.append((context, Watch(context, self.site.url)))
        if signed_in:
            name, value = self.site.session
            context.add_cookies([{"name": name, "value": value, "url": self.site.url}])
        page = context.new_page()
        page.goto(path)
        return page

    def watch(self, page: Page) -> Watch:
        return next(watch for context, watch in self._watched if context is page.context)

    def forgive(self, stranger: str) -> None:
        """What was asked of another site, which a test has sent its pages to, is no problem."""
        for _, watch in self._watched:
            watch.problems[:] = [problem for problem in watch.problems if stranger not in problem]

    def close(self) -> list[str]:
        """End every visit; gives what went wrong in any. No draft comes to the server later than that."""
        for context, watch in self._watched:
            for page in context.pages:
                with suppress(Error):  # one that has crashed
                    page.evaluate(ASK_NO_MORE)
            until = time.monotonic() + SAVING_SECONDS
            while context.pages and watch.is_saving and time.monotonic() < until:
                context.pages[0].wait_for_timeout(20)
            context.close()
        return [problem for _, watch in self._watched for problem in watch.problems]
