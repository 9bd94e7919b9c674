"""The pages' own modules: each short, and one door for what a model wrote."""

import re
from pathlib import Path

import pytest

from flask_app.web.module_parts import with_parts

STATIC = Path(__file__).parents[2] / "flask_app" / "static"
MOST_LINES = 300
# What makes elements of a text. A frame without an origin may: its whole page is the model's. What draws SVG does it in
# a document apart, which becomes such a frame's picture.
APART = ["js/markdown/drawings.js"]
MAKES_MARKUP = re.compile(
    r"\b(?:innerHTML|outerHTML)\s*\+?=[^=]|\b(?:insertAdjacentHTML|document\.write|setHTML\w*|createContextualFragment|DOMParser)\b"
)
PARTS = re.compile(r'^import \{ [^}]+ \} from "\./([^"]+)"$', re.MULTILINE)
IMPORTS = re.compile(r"^import\b.*", re.MULTILINE)
FORM = re.compile(
    r'import \{ (?P<names>\w+(?: as \w+)?(?:, \w+(?: as \w+)?)*) \} from "(?:app/|\./)[^"]+"|import "app/[^"]+"'
)
NAMES = re.compile(r"^(?:export )?(?:async function|function|class|const|let) (\[[^\]]+\]|\w+)", re.MULTILINE)


def modules() -> dict[str, str]:
    return {str(path.relative_to(STATIC)): path.read_text(encoding="utf-8") for path in (STATIC / "js").rglob("*.js")}


def test_no_module_outgrows_its_subject() -> None:
    assert len(modules()) > 100
    assert [name for name, text in modules().items() if len(text.splitlines()) > MOST_LINES] == []


@pytest.mark.security("markup-inert")
def test_only_the_sanitizer_makes_elements_of_text() -> None:
    assert [name for name, text in modules().items() if MAKES_MARKUP.search(text)] == APART
    assert [name for name, text in modules().items() if 'from "dompurify"' in text] == ["js/markdown.js"]
    frames = "".join(path.read_text(encoding="utf-8") for path in (STATIC / "frames").glob("*.js"))
    assert MAKES_MARKUP.search(frames), "it would be found"


def test_parts_stand_where_they_are_imported_and_each_name_is_asked_for_once(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    part = 'import { a, b } from "app/a.js"\n\nexport const part = () => a(b)\n'
    (tmp_path / "whole" / "part.js").write_text(part)
    a, own, c = 'import { a } from "app/a.js"', 'import { part } from "./whole/part.js"', 'import { c } from "app/c.js"'
    whole = f"{a}\n{own}\n{c}\n\nc(a, part)\n"
    (tmp_path / "whole.js").write_text(whole)
    joined = 'import { a, b } from "app/a.js"\nimport { c } from "app/c.js"\n\nconst part = () => a(b)\n\nc(a, part)\n'
    assert with_parts(tmp_path / "whole.js").decode() == joined
    assert with_parts(tmp_path / "whole" / "part.js").decode() == part, "one without parts is as it is"


def test_a_part_is_of_one_module_and_shares_no_name_with_it() -> None:
    """It would be there twice else, or not at all."""
    parts = {name: PARTS.findall(text) for name, text in modules().items() if PARTS.search(text)}
    assert parts
    for name, own in parts.items():
        joined = with_parts(STATIC / name).decode()
        assert 'from "./' not in joined, "a part has no parts"
        names = [each.strip() for found in NAMES.findall(joined) for each in found.strip("[]").split(",")]
        for found in IMPORTS.findall(joined):
            line = FORM.fullmatch(found)
            assert line, f"{name}: {found}: only this form is put together"
            names += [each.split(" as ")[-1] for each in (line["names"] or "").split(", ") if each]
        assert len(names) == len(set(names)), name
        assert [each for each in IMPORTS.findall(modules()[name]) if '"./' in each and " as " in each] == []
        for part in own:
            address = f"app/{Path(name).parent.relative_to('js') / part}"
            users = [each for each, text in modules().items() if re.search(rf'from "(?:{address}|\./{part})"', text)]
            assert users == [name], part
