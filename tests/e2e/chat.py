"""The chat page as a person uses it."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.e2e.clipboard import copied
from tests.e2e.words import Words

PATIENCE = 60_000  # milliseconds: the local model takes its time on two busy cores


def come_back(page: Page) -> None:
    """Come back to the tab, and wait until its draft was looked for as well: until then it looks at nothing again."""
    with page.expect_response(lambda reply: reply.request.method == "GET" and reply.url.endswith("/draft")) as look:
        page.evaluate("dispatchEvent(new Event('focus'))")
    look.value.finished()


class Chat:
    def __init__(self, page: Page, say: Words) -> None:
        self.page = page
        self.say = say
        self.text = page.get_by_label(say("chat.message"), exact=True)
        self.send_button = page.get_by_role("button", name=say("chat.send"), exact=True)
        self.stop_button = page.get_by_role("button", name=say("chat.stop"))
        self.answers = page.locator(".message--answer")
        self.questions = page.locator(".message--question [data-slot=text]")
        self.models = page.locator("[data-model]")
        self.list = page.locator("[data-list]")
        self.menu = page.get_by_role("group", name=say("chat.conversation_menu"))
        self.problem = page.locator("[data-composer-error]")
        self.unreached = page.locator("[data-unreached]")

    @property
    def conversation_id(self) -> str:
        return urlsplit(self.page.url).path.removeprefix("/c/")

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.answers.last

    @property
    def prose(self) -> Locator:
        """The newest answer's text, without its thoughts."""
        return self.answer.locator(".prose[data-slot=text]")

    def send(self, text: str) -> None:
        self.text.fill(text)
        self.enter()

    def enter(self) -> None:
        """Send what is written, once the page's scripts are there: on a phone Enter breaks the line."""
        self.page.wait_for_load_state()
        if self.page.evaluate("matchMedia('(pointer: coarse)').matches"):
            self.send_button.click()
        else:
            self.text.press("Enter")

    def ask(self, text: str) -> None:
        """Send, and wait for the whole answer."""
        if "/c/" in self.page.url:  # what is stored there is drawn once its scripts have come
            expect(self.answers).not_to_have_count(0)
        before = self.answers.count()
        self.send(text)
        expect(self.answers).to_have_count(before + 1)
        self.wait_until_answered()

    def ask_briefly(self, text: str) -> None:
        """Send, and stop the answer at its first words, unless that was all."""
        self.send(text)
        self.wait_for_words(1)
        self.page.locator("[data-stop]").dispatch_event("click")
        self.wait_until_answered()

    def wait_until_answered(self) -> None:
        expect(self.stop_button).to_be_hidden(timeout=PATIENCE)

    def wait_for_words(self, count: int) -> None:
        """Wait until the answer being written has at least `count` characters."""
        expect(self.prose).to_have_text(re.compile(rf"\s*\S[\s\S]{{{count - 1},}}"), timeout=PATIENCE)

    def copied_answer(self) -> str:
        """The newest answer as its copy button gives it: the Markdown itself."""
        return copied(self.page, self.answer.get_by_role("button", name=self.say("chat.copy_answer")).click)

    def open_list(self) -> None:
        """As far as it is not there: on a phone it is in a drawer."""
        opener = self.page.get_by_role("button", name=self.say("chat.open_list"))
        if opener.is_visible():
            opener.click()

    def go_to(self, entry: Locator) -> None:
        """To the conversation of an entry of the list."""
        self.open_list()
        entry.click()

    def in_list(self, title: str) -> Locator:
        return self.list.get_by_role("link", name=title, exact=True)

    def more(self, title: str) -> Locator:
        """The button that opens the menu of a conversation in the list."""
        return self.list.get_by_role("button", name=self.say("js.actions_for", title=title), exact=True)

    def choose(self, title: str, action: str) -> None:
        """Choose from the menu of a conversation in the list."""
        self.more(title).hover()
        self.more(title).click()
        self.menu.get_by_text(action).click()

    def question(self, number: int = 0) -> Locator:
        return self.page.locator(".message--question").nth(number)

    def act(self, message: Locator, name: str) -> Locator:
        """The button of a question or an answer that does this."""
        return message.get_by_role("button", name=self.say(f"chat.{name}"), exact=True)
