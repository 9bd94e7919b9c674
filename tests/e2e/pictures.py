"""The pictures of the README: the site after the journey, with some weeks of more people's use."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from tests.e2e import showcase
from tests.e2e.site import Site
from tests.e2e.visits import WIDE, Visits

LARGEST = 200_000  # bytes
COLOURS = 256
SCALE = 1.5
TALLER: ViewportSize = {"width": 1280, "height": 1040}
TALL_PHONE: ViewportSize = {"width": 390, "height": 880}


def take_all(browser: Browser, site: Site, folder: Path) -> list[str]:
    """Add people and their use to a site that has a key, and take its pages; gives what went wrong on them."""
    problems = []
    people = showcase.people(site)
    chinese, english = (people[username] for username in showcase.ADMINISTRATORS)
    showcase.remember(site)
    showcase.limit(site)
    talks = {
        "zh": (chinese, showcase.converse(chinese, showcase.CHINESE)),
        "en": (english, showcase.converse(english, showcase.ENGLISH)),
    }
    for locale, (person, conversation) in talks.items():
        visits = Visits(browser, person)
        for name, path, viewport in (
            ("chat", conversation, WIDE),
            ("dashboard", "/dashboard", TALLER),
            ("admin", "/admin#range", TALLER),
        ):
            page = visits.open(path, locale=locale, viewport=viewport, scale=SCALE)
            _take(page, folder / f"{name}-{locale}.png")
        if locale == "zh":
            page = visits.open(conversation, locale=locale, viewport=TALL_PHONE, scheme="dark", scale=2)
            _take(page, folder / "phone-dark.png")
        problems += visits.close()
    return problems


def _take(page: Page, path: Path) -> None:
    """Take the page as it stands when all of it has come, in few colours."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate("document.querySelector('[data-thread]')?.scrollTo(0, 0)")
    page.evaluate("document.activeElement?.blur()")
    page.wait_for_timeout(500)  # the chart draws itself
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    assert path.stat().st_size < LARGEST
