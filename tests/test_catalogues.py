"""All languages say the same things, each in its own script, and everything that is said exists."""

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_app import i18n
from flask_app.services.site import rates

PACKAGE = Path(i18n.__file__).parent
SOURCES = [
    *PACKAGE.rglob("*.py"),
    *(PACKAGE / "templates").rglob("*.html"),
    *(PACKAGE / "static" / "js").rglob("*.js"),
]
HAN = re.compile(r"[\u3400-\u9fff]")
KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
# Characters that only mainland China writes so, and words that only it has; the letters are those of the catalogues.
SIMPLIFIED = re.compile(
    "[这们为时说对过发开现问长东车门电话语请让吗么样应该动经种与关头见写给认识书买卖钱气务设网络数据复链额账户权储载录购费调览档错误连试]"
)
ELSEWHERE_IN_CHINESE = re.compile(
    "默認|服務器|信息|用戶|文件|登錄|鏈接|網絡|數據庫|字符|視頻|軟件|程序|質量|令牌|充值|加載|保存到|默认"
)
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


def test_every_folder_is_a_language_that_can_be_chosen() -> None:
    assert {folder.name for folder in (PACKAGE / "locales").iterdir()} == set(i18n.LOCALES)


@pytest.mark.parametrize("locale", sorted({*i18n.LOCALES} - {"en"}))
def test_a_language_has_the_areas_and_keys_of_english(locale: str) -> None:
    ours, english = PACKAGE / "locales" / locale, PACKAGE / "locales" / "en"
    assert {path.name for path in ours.iterdir()} == {path.name for path in english.iterdir()}
    for area in english.iterdir():
        told, expected = (json.loads(path.read_text("utf-8")) for path in (ours / area.name, area))
        assert list(told) == list(expected), area.name


@pytest.mark.parametrize("key", sorted(i18n.catalogue("en")))
def test_a_sentence_has_the_same_placeholders_in_every_language(key: str) -> None:
    expected = placeholders(i18n.catalogue("en")[key])
    assert all(name.isidentifier() for name in expected)
    for locale in i18n.LOCALES:
        assert i18n.catalogue(locale)[key].strip(), locale
        assert placeholders(i18n.catalogue(locale)[key]) == expected, locale


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


def test_english_is_english_and_the_others_are_not() -> None:
    for key, sentence in i18n.catalogue("en").items():
        assert not HAN.search(sentence), key
    for locale in {*i18n.LOCALES} - {"en"}:
        foreign = {
            key for key, said in i18n.catalogue(locale).items() if not HAN.search(said) and not KANA.search(said)
        }
        assert {key for key in foreign if len(re.sub(r"\{\w+\}", "", i18n.catalogue(locale)[key])) > 20} == set()


def test_traditional_chinese_is_as_taiwan_writes_it() -> None:
    for key, sentence in i18n.catalogue("zh-Hant").items():
        assert not SIMPLIFIED.search(sentence), key
        assert not ELSEWHERE_IN_CHINESE.search(sentence), key
        assert not KANA.search(sentence), key
        assert not re.search(r"[“”]|[\u3400-\u9fff][,;:?!]", sentence), key


def test_japanese_is_japanese() -> None:
    catalogue = i18n.catalogue("ja")
    long = {key: said for key, said in catalogue.items() if len(re.sub(r"\{\w+\}", "", said)) > 20}
    assert len(long) > 300
    for key, sentence in catalogue.items():
        assert not re.search(r"[“”，]|[\u3041-\u9fff][,;:?!]", sentence), key
    assert {key for key, sentence in long.items() if not KANA.search(sentence)} == set()


def test_templates_hold_no_words_of_their_own() -> None:
    for source in SOURCES:
        if source.suffix == ".html":
            text = re.sub(r"\{#.*?#\}", "", source.read_text("utf-8"), flags=re.DOTALL)
            assert not HAN.search(text), source


@pytest.mark.parametrize(
    ("preferred", "accepted", "locale"),
    [
        ("en", ["zh"], "en"),
        (None, ["en-GB", "zh"], "en"),
        (None, ["fr", "zh-Hans-CN"], "zh"),
        (None, ["zh"], "zh"),
        (None, ["zh-CN"], "zh"),
        (None, ["zh-SG", "zh-TW"], "zh"),
        (None, ["zh-Hans-HK"], "zh"),
        (None, ["zh-TW", "zh", "en-US", "en"], "zh-Hant"),
        (None, ["zh-HK"], "zh-Hant"),
        (None, ["zh-MO"], "zh-Hant"),
        (None, ["zh-Hant"], "zh-Hant"),
        (None, ["ZH-HANT-CN"], "zh-Hant"),
        (None, ["ja"], "ja"),
        (None, ["ja-JP", "en"], "ja"),
        (None, ["ko", "ja", "zh-TW"], "ja"),
        (None, ["zhx", "jav"], "en"),
        ("zh-Hant", ["zh-CN"], "zh-Hant"),
        ("zh", ["zh-TW"], "zh"),
        ("ja", ["en"], "ja"),
        (None, ["fr"], "en"),
        (None, ["de-CH", "*"], "en"),
        (None, ["*"], "zh"),
        ("xx", [], "zh"),
        (None, [], "zh"),
    ],
)
def test_the_language_is_the_persons_then_the_browsers(preferred: str | None, accepted: list[str], locale: str) -> None:
    assert i18n.negotiate(preferred, accepted) == locale


@pytest.mark.parametrize(
    ("words", "locale"),
    [
        ("什么是复利？请用一个例子说明。", "zh"),
        ("請用一個生活裡的例子，解釋什麼是複利。", "zh-Hant"),
        ("山中", "zh"),
        ("複利とは何か、例を挙げて説明してください。", "ja"),
        ("メールを直して", "ja"),
        ("日语里“の”是什么意思？这个字怎么写？", "zh"),
        ("What is compound interest?", "en"),
        ("Was ist Zinseszins?", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_somebodys_words_is_the_nearest(words: str, locale: str) -> None:
    assert i18n.language_of(words) == locale


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_modules_have_the_words_that_are_theirs(locale: str) -> None:
    words = i18n.for_javascript(locale, for_administration=True)
    assert json.loads(words).keys() == {key for key in i18n.catalogue(locale) if key.startswith("js.")}


def test_only_the_administrations_pages_carry_its_words() -> None:
    all_words = json.loads(i18n.for_javascript("en", for_administration=True))
    elsewhere = json.loads(i18n.for_javascript("en"))
    assert {key for key in all_words if key.startswith(i18n.ADMINISTRATION)} == all_words.keys() - elsewhere.keys()
    modules = [path for path in (PACKAGE / "static" / "js").rglob("*.js") if path.parent.name != "admin"]
    assert [path.name for path in modules if any(words in path.read_text() for words in i18n.ADMINISTRATION)] == []


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_a_limit_of_the_whole_site_is_said_to_be_of_each_person(locale: str) -> None:
    catalogue = i18n.catalogue(locale)
    said = {kind: catalogue[f"js.admin.limits_{kind}"] for kind in rates.KINDS}
    each = {kind: re.search(r"[(（].+[)）]$", words) for kind, words in said.items()}
    assert all(each.values()), said
    ends = {kind: found and found[0] for kind, found in each.items()}
    assert len({ends[kind] for kind in rates.OF_GROUPS}) == 1, "of each person"
    assert ends["visits"] != ends["messages"], "of each address"


def test_english_counts_nothing_in_a_plural_that_can_be_one() -> None:
    """There is no form for one: a sentence says "days: {count}" or "{seconds} s". A {limit} is mostly a constant."""
    things = "answers|codes|conversations|days|entries|minutes|people|requests|seconds|times"
    counted = re.compile(rf"\{{(?!name\}}|limit\}})\w+\}} (?:of |more |last |the )*(?:{things})\b")
    catalogue = i18n.catalogue("en")
    never_one = {
        *("admin.on_disconnect_hint", "js.admin.limits_per_seconds", "js.admin.limits_seconds", "tokens.days"),
        *("error.range_too_long", "error.share_too_long", "error.bad_share_days", "js.admin.users_found_more"),
    }
    assert {key for key, sentence in catalogue.items() if counted.search(sentence)} <= never_one
    settings = ("error.too_many_runs", "gateway.too_many_runs", "error.too_many_runs_of_token")
    for key in (*settings, "error.token_rate_limited"):
        assert not re.search(rf"\{{limit\}} (?:{things})", catalogue[key].replace("of your ", "")), key


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_a_field_is_no_sentence_of_its_own(locale: str) -> None:
    """It stands in one, or after a colon."""
    assert not [key for key, said in i18n.catalogue(locale).items() if re.search(r"[.。]\s*`?\{field\}`?$", said)]


def test_chinese_calls_things_by_one_name() -> None:
    """A model's provider is none that people sign in by, and what may be used has one name."""
    for locale, budget, provider in (("zh", "预算", "提供方"), ("zh-Hant", "預算", "提供者")):
        catalogue = i18n.catalogue(locale)
        assert {key for key, sentence in catalogue.items() if budget in sentence} == set()
        called_so = {key for key, sentence in catalogue.items() if provider in sentence}
        assert {key for key in called_so if "identit" not in key} <= {"error.bad_client_id"}


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_a_days_cost_is_said_without_a_word_before_it(locale: str) -> None:
    """It may be "free"."""
    for key in ("js.stats.day", "js.dashboard.readout"):
        assert re.search("[,，、] ?\\{cost\\}$", i18n.catalogue(locale)[key]), key
