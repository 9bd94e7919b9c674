"""Pictures from elsewhere: nobody hears of their readers until these ask for one, and then its host hears little."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e import accessible
from tests.e2e.chat import Chat
from tests.e2e.picture_host import COLOUR, PictureHost, picture_host
from tests.e2e.seen import share_of
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, LANGUAGES, PHONE, WIDE
from tests.e2e.watch import Watch
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def host() -> Iterator[PictureHost]:
    with picture_host() as host:
        yield host


class Reader:
    """Somebody whose browser takes the host's certificate for good, and has cookies of both sites."""

    def __init__(self, browser: Browser, site: Site, host: PictureHost, locale: str, viewport: Any) -> None:
        self.context = browser.new_context(
            base_url=site.url,
            locale=LANGUAGES[locale],
            viewport=viewport,
            color_scheme="dark" if locale == "zh" else "light",
            ignore_https_errors=True,
            reduced_motion="reduce",
        )
        self.watch = Watch(self.context, site.url)
        name, value = site.session
        theirs = f"https://{host.name}"
        self.context.add_cookies(
            [
                {"name": name, "value": value, "url": site.url},
                {"name": "follows", "value": "you", "url": theirs, "sameSite": "None", "secure": True},
            ]
        )
        self.page = self.context.new_page()
        self.page.goto("/")
        self.chat = Chat(self.page, words(locale))
        host.asked.clear()


@pytest.fixture(params=[("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def reader(request: pytest.FixtureRequest, browser: Browser, site: Site, host: PictureHost) -> Iterator[Reader]:
    reader = Reader(browser, site, host, *request.param)
    yield reader
    reader.context.close()


def button(chat: Chat, words: str) -> Locator:
    return chat.page.get_by_role("button", name=chat.say(words), exact=True)


@pytest.mark.security("pictures-on-a-click", "picture-leak")
def test_a_picture_is_fetched_once_it_is_asked_for_and_its_host_learns_little(
    reader: Reader, host: PictureHost, script: ScriptedUpstream
) -> None:
    page = reader.page
    script.script(Answer(f"![a red box](https://{host.name}/picture.png)\n\n![plain](http://{host.name}/picture.png)"))
    reader.chat.ask("Show me a box.")
    placeholder = reader.chat.prose.locator(".picture").first
    expect(placeholder).to_contain_text("a red box")
    expect(placeholder.get_by_role("link", name=host.name)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert (host.asked, reader.watch.strangers) == ([], [])
    expect(button(reader.chat, "js.show_picture")).to_have_count(1)
    button(reader.chat, "js.show_picture").focus()
    page.keyboard.press("Enter")
    frame = page.get_by_title("a red box (1)")
    expect(frame).to_have_attribute("aria-busy", "false")
    wait_until(lambda: share_of(frame, COLOUR) > 0.9)
    (path, headers), *more = host.asked
    assert (path, more) == ("/picture.png", [])
    assert "referer" not in headers
    assert "cookie" not in headers
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AT_REST)
        accessible.expect_no_violation(page, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(button(reader.chat, "js.hide_picture")).to_be_focused()
    page.keyboard.press("Enter")
    expect(frame).to_have_count(0)
    expect(button(reader.chat, "js.show_picture")).to_be_focused()
    assert reader.watch.strangers == [f"https://{host.name}/picture.png"]


@pytest.mark.parametrize("path", ["missing.png", "to-plain-http"])
def test_a_picture_that_cannot_be_had_is_told(
    reader: Reader, host: PictureHost, script: ScriptedUpstream, path: str
) -> None:
    script.script(Answer(f"![a box](https://{host.name}/{path})"))
    reader.chat.ask("Show me a box.")
    button(reader.chat, "js.show_picture").click()
    expect(reader.chat.prose.get_by_role("status")).to_have_text(reader.chat.say("js.picture_missing"))
    expect(reader.chat.prose.locator("iframe")).to_have_count(0)
    assert [asked for asked, _ in host.asked] == [f"/{path}"]
    expect(button(reader.chat, "js.show_picture")).to_be_visible()


def test_a_picture_in_a_link_leaves_it_its_words(reader: Reader, host: PictureHost, script: ScriptedUpstream) -> None:
    script.script(Answer(f"[![a box](https://{host.name}/picture.png)](https://example.com/)"))
    reader.chat.ask("Link a box.")
    expect(reader.chat.prose.get_by_role("link", name="a box", exact=True)).to_have_attribute(
        "href", "https://example.com/"
    )
    expect(reader.chat.prose.locator("a button")).to_have_count(0)
    button(reader.chat, "js.show_picture").click()
    wait_until(lambda: [asked for asked, _ in host.asked] == ["/picture.png"])
