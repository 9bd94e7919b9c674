"""The pictures of the README, taken from a site that looks lived in: ``python -m tests.e2e.screenshots``."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.e2e import showcase
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.site import Site, opened
from tests.e2e.visits import WIDE, Visits
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import ROOT

FOLDER = ROOT / "docs" / "images"
LARGEST = 200_000  # bytes
COLOURS = 256
SCALE = 1.5
TALLER: ViewportSize = {"width": 1280, "height": 1040}
TALL_PHONE: ViewportSize = {"width": 390, "height": 880}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ScriptedUpstream() as provider, tempfile.TemporaryDirectory() as folder:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with opened(Path(folder), provider, **settings) as site:
            site.set_up()
            _take_all(site)


def _take_all(site: Site) -> None:
    people = showcase.people(site)
    chinese, english = (people[username] for username in showcase.ADMINISTRATORS)
    showcase.remember(site)
    showcase.limit(site)
    talks = {
        "zh": (chinese, showcase.converse(chinese, showcase.CHINESE)),
        "en": (english, showcase.converse(english, showcase.ENGLISH)),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for locale, (person, conversation) in talks.items():
            visits = Visits(browser, person)
            for name, path, viewport in (
                ("chat", conversation, WIDE),
                ("dashboard", "/dashboard", TALLER),
                ("admin", "/admin#range", TALLER),
            ):
                _take(visits.open(path, locale=locale, viewport=viewport, scale=SCALE), f"{name}-{locale}")
            if locale == "zh":
                _take(
                    visits.open(conversation, locale=locale, viewport=TALL_PHONE, scheme="dark", scale=2), "phone-dark"
                )
            assert visits.close() == []
        browser.close()


def _take(page: Page, name: str) -> None:
    """Take the page as it stands when all of it has come, in few colours."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate("document.querySelector('[data-thread]')?.scrollTo(0, 0)")
    page.evaluate("document.activeElement?.blur()")
    page.wait_for_timeout(500)  # the chart draws itself
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    path = FOLDER / f"{name}.png"
    few.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes; the most is {LARGEST}")


if __name__ == "__main__":
    main()
