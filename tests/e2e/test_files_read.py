"""What is told of files that are read in part, or not at all, and of what to do."""

import pytest
from playwright.sync_api import expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import Chosen, attach, chip, choose
from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support import files

pytestmark = pytest.mark.browser
OLD = Chosen("报告.doc", "application/msword", files.old_office("WordDocument"))
IN_PART = Chosen("scan.pdf", "application/pdf", files.pdf("words", ""))


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_one_of_which_pictures_are_left_out_says_so(visits: Visits, locale: str) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    attach(chat, IN_PART, Chosen("whole.pdf", "application/pdf", files.pdf("words")))
    expect(chip(chat, "scan.pdf")).to_contain_text(chat.say("js.files.omits"))
    expect(chip(chat, "whole.pdf")).not_to_contain_text(chat.say("js.files.omits"))
    expect_no_fault(chat.page, locale)
    chat.page.reload()
    expect(chip(chat, "scan.pdf")).to_contain_text(chat.say("js.files.omits"))


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_one_of_an_old_kind_says_what_to_do_on_a_narrow_page(visits: Visits, locale: str) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=PHONE), words(locale))
    choose(chat, OLD)
    expect(chip(chat, OLD.name)).to_contain_text(chat.say("error.file_old_office"))
    expect_no_fault(chat.page, locale)
    chat.page.set_viewport_size(PHONE)
    width = chat.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1] == PHONE["width"]
