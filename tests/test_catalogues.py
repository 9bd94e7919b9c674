"""The two languages say the same things, and everything that is said exists."""

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_app import i18n

PACKAGE = Path(i18n.__file__).parent
SOURCES = [
    *PACKAGE.rglob("*.py"),
    *(PACKAGE / "templates").rglob("*.html"),
    *(PACKAGE / "static" / "js").rglob("*.js"),
]
# t("a.key"), field("x", t("a.key")), code, status = "a_code", 404, raise Forbidden("a_code")
_KEY = re.compile(r"""\bt\(\s*["']([a-z_]+(?:\.[a-z0-9_]+)+)["']""")
_BEGINNING = re.compile(r"\bt\(`([a-z_.]+_)\$\{")
_CODE = re.compile(
    r"""(?:\b(?:BadRequest|SignInRequired|Forbidden|NotFound|Conflict|TooLarge|Invalid|TooMany|Unavailable"""
    r"""|UpstreamError|AppError|WrongCredentials)\(\s*["']|^\s*code, status = ["'])([a-z_]+)["']""",
    re.MULTILINE,
)


def placeholders(sentence: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None})


def used(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for source in SOURCES:
        for found in pattern.finditer(source.read_text(encoding="utf-8")):
            yield found[1], source.relative_to(PACKAGE).as_posix()


def test_both_languages_have_the_same_areas_and_keys() -> None:
    areas = {locale: {path.name for path in (PACKAGE / "locales" / locale).iterdir()} for locale in i18n.LOCALES}
    assert areas["zh"] == areas["en"]
    for area in areas["zh"]:
        zh, en = (json.loads((PACKAGE / "locales" / locale / area).read_text("utf-8")) for locale in ("zh", "en"))
        assert list(zh) == list(en), area


@pytest.mark.parametrize("key", sorted(i18n.catalogue("zh")))
def test_a_sentence_has_the_same_placeholders_in_both(key: str) -> None:
    zh, en = i18n.catalogue("zh")[key], i18n.catalogue("en")[key]
    assert zh.strip()
    assert en.strip()
    assert placeholders(zh) == placeholders(en)
    assert all(name.isidentifier() for name in placeholders(zh))


def test_every_key_that_is_used_exists() -> None:
    known = i18n.catalogue("zh")
    missing = {f"{key} in {where}" for key, where in used(_KEY) if not key.endswith(("_", ".")) and key not in known}
    assert missing == set()
    begun = {key for key, _ in [*used(_KEY), *used(_BEGINNING)] if key.endswith("_")}  # t("admin.by_" ~ kind)
    assert {start for start in begun if not any(key.startswith(start) for key in known)} == set()


def test_every_sentence_is_used() -> None:
    everything = "\n".join(source.read_text(encoding="utf-8") for source in SOURCES)
    literals = set(re.findall(r"""["'`]([a-z][a-z0-9_.]*)""", everything))
    begun = tuple(word for word in literals if word.endswith(("_", ".")))
    unused = {
        key
        for key in i18n.catalogue("zh")
        if (word := key.removeprefix("error.")) not in literals and not word.startswith(begun)
    }
    assert unused == set()


def test_every_failure_has_its_sentence() -> None:
    codes = list(used(_CODE))
    assert len(codes) > 30, "the pattern must find the codes"
    assert {f"{code} in {where}" for code, where in codes if f"error.{code}" not in i18n.catalogue("zh")} == set()


def test_english_is_english_and_chinese_is_chinese() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    names = {"中文", "明聊"}
    for key, sentence in i18n.catalogue("en").items():
        assert not han.search(re.sub("|".join(names), "", sentence)), key
    alike = {key for key, sentence in i18n.catalogue("zh").items() if not han.search(sentence)}
    assert {key for key in alike if len(re.sub(r"\{\w+\}", "", i18n.catalogue("zh")[key])) > 20} == set()


def test_templates_hold_no_words_of_their_own() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    for source in SOURCES:
        if source.suffix == ".html":
            text = re.sub(r"\{#.*?#\}", "", source.read_text("utf-8"), flags=re.DOTALL)
            assert not han.search(text.replace("中文", "")), source


@pytest.mark.parametrize(
    ("preferred", "accepted", "locale"),
    [
        ("en", ["zh"], "en"),
        (None, ["en-GB", "zh"], "en"),
        (None, ["fr", "zh-Hans-CN"], "zh"),
        (None, ["fr"], "en"),
        (None, ["de-CH", "*"], "en"),
        (None, ["*"], "zh"),
        ("xx", [], "zh"),
        (None, [], "zh"),
    ],
)
def test_the_language_is_the_persons_then_the_browsers(preferred: str | None, accepted: list[str], locale: str) -> None:
    assert i18n.negotiate(preferred, accepted) == locale


def test_words_inside_a_script_element_cannot_end_it() -> None:
    assert "<" not in i18n.for_javascript("zh")
    assert json.loads(i18n.for_javascript("zh"))
