"""Style sheets joined into one reply."""

from pathlib import Path

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


def test_colours_are_named_in_the_tokens_only() -> None:
    sheets = [path for path in CSS.rglob("*.css") if path.name != "tokens.css"]
    assert sheets
    for sheet in sheets:
        text = sheet.read_text()
        assert not any(sign in text for sign in ("rgb(", "hsl(", "oklch(", "#", "!important")), sheet.name
