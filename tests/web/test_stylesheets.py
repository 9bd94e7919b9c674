"""Style sheets joined into one reply."""

import re
from pathlib import Path

import pytest

from flask_app.web.stylesheets import joined

CSS = Path(__file__).parents[2] / "flask_app" / "static" / "css"


def test_imports_are_replaced_by_their_rules_in_their_layer(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one.css").write_text("p {\n  color: red;\n}\n")
    (tmp_path / "app.css").write_text('@layer a, b;\n@import "parts/one.css" layer(b);\n')
    assert joined(tmp_path / "app.css").decode() == "@layer a, b;\n@layer b {\np {\n  color: red;\n}\n}\n"


def test_the_sheet_of_every_page_needs_no_further_request() -> None:
    sheet = joined(CSS / "app.css").decode()
    assert "--color-accent" in sheet, "the tokens must be part of it"
    assert "@import" not in sheet


@pytest.mark.parametrize("name", ["app.css", "admin.css"])
def test_every_room_of_a_joined_sheet_is_in_a_layer(name: str) -> None:
    rooms = re.findall(r'@import "([^"]+)"', (CSS / name).read_text())
    assert rooms
    sheet = joined(CSS / name).decode()
    for room in rooms:
        assert "@layer" not in (CSS / room).read_text(), f"{room} would open a layer within its own"
        assert (CSS / room).read_text() in sheet


def test_no_sheet_outgrows_its_subject() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in CSS.rglob("*.css")}
    assert {name for name, lines in lengths.items() if lines >= 300} == set()


def test_colours_are_named_in_the_tokens_only() -> None:
    sheets = [path for path in CSS.rglob("*.css") if path.name != "tokens.css"]
    assert sheets
    for sheet in sheets:
        text = sheet.read_text()
        assert not any(sign in text for sign in ("rgb(", "hsl(", "oklch(", "#", "!important")), sheet.name


def defined(text: str) -> set[str]:
    """The classes that have rules of their own, by themselves."""
    rules = re.findall(r"(?:^|[}{;])([^{}@;]+)\{", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    selectors = (selector.strip() for rule in rules for selector in rule.split(","))
    return {selector for selector in selectors if re.fullmatch(r"\.[a-z][\w-]*", selector)}


def rooms(pattern: str) -> set[str]:
    """What is in every page's sheet, of the rooms whose names fit."""
    every = re.findall(r'@import "([^"]+)"', (CSS / "app.css").read_text())
    return {room for room in every if re.match(pattern, room) and room != "print.css"}


def test_no_two_subjects_that_a_page_may_have_share_a_class() -> None:
    """A bar of the dashboard was once drawn as the list of shares is: both were called `share`."""
    chat, common = (
        {each for room in rooms(pattern) for each in defined((CSS / room).read_text())}
        for pattern in ("pages/", "(?!pages/)")
    )
    own = {
        name: defined(joined(CSS / f"{name}.css").decode())
        for name in ("access-tokens", "account", "admin", "dashboard")
    }
    assert chat & common == set()
    for name, classes in own.items():
        assert classes & (chat | common) == set(), name
    assert own["admin"] & own["dashboard"] == set(), "the administration has both"
