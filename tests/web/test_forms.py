"""Forms in the pages' templates."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "flask_app" / "templates"
FORM = re.compile(r"<form\b[^>]*>")
METHOD = re.compile(r'\bmethod="(get|post|dialog)"')
SECRET = re.compile(r"password_field|new_password|codes?\.code\b")


def forms() -> list[tuple[str, str, str]]:
    """Each with its template's name, its first tag and what is in it."""
    texts = {path: path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")}
    return [
        (path.name, begin[0], text[begin.end() :].partition("</form>")[0])
        for path, text in texts.items()
        for begin in FORM.finditer(text)
    ]


def test_each_says_how_it_is_sent_before_the_scripts_have_come() -> None:
    assert len(forms()) > 15
    assert [(name, tag) for name, tag, _ in forms() if not METHOD.search(tag)] == []


@pytest.mark.security("no-secret-in-an-address")
def test_no_secret_goes_into_an_address() -> None:
    secret = [(name, tag) for name, tag, content in forms() if SECRET.search(content)]
    assert len(secret) > 3
    assert [(name, tag) for name, tag in secret if 'method="post"' not in tag] == []
