"""An accent of a site's own: whatever it is, what follows from it can be read on light pages and on dark ones."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain import colours
from flask_app.domain.colours import BLACK, READABLE, WHITE, contrast, least_contrast, mix, palette

TOKENS = (Path(__file__).parents[2] / "flask_app/static/css/tokens.css").read_text(encoding="utf-8")
SEEN = 3  # of a figure to its ground (WCAG 2.2 AA, 1.4.11)
any_colour = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def token(name: str) -> tuple[str, str]:
    found = re.search(rf"--color-{name}: light-dark\((#[0-9a-f]{{6}}), (#[0-9a-f]{{6}})\)", TOKENS)
    assert found, name
    return found[1], found[2]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        (BLACK, WHITE, 21),
        (WHITE, WHITE, 1),
        ("#777777", WHITE, 4.48),
        ("#767676", WHITE, 4.54),
        ("#ff0000", WHITE, 4.0),
    ],
)
def test_contrast_is_what_wcag_says(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


def test_the_grounds_and_the_text_are_those_of_the_pages() -> None:
    names = ("page", "surface", "raised", "sunken", "hover")
    light, dark = zip(*map(token, names), strict=True)
    assert set(light) == set(colours.LIGHT_GROUNDS)
    assert set(dark) == set(colours.DARK_GROUNDS)
    assert token("text") == (colours.LIGHT_TEXT, colours.DARK_TEXT)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_charts_are_drawn_in_is_seen_on_every_ground(number: int) -> None:
    light, dark = token(f"chart-{number}")
    assert min(contrast(light, ground) for ground in colours.LIGHT_GROUNDS) >= SEEN
    assert min(contrast(dark, ground) for ground in colours.DARK_GROUNDS) >= SEEN


@given(any_colour)
def test_whatever_can_be_read_on_light_pages_makes_colours_that_all_can_be_read(accent: str) -> None:
    if least_contrast(accent) < READABLE:
        return
    made, muted = palette(accent), dict(zip(("light", "dark"), token("muted"), strict=True))
    assert made.accent.light == accent
    for ground in (*colours.LIGHT_GROUNDS, made.accent_soft.light):
        assert contrast(made.accent.light, ground) >= READABLE
        assert contrast(made.accent_strong.light, ground) >= READABLE
    for ground in (*colours.DARK_GROUNDS, made.accent_soft.dark):
        assert contrast(made.accent.dark, ground) >= READABLE
        assert contrast(made.accent_strong.dark, ground) >= READABLE
    for scheme, text in (("light", colours.LIGHT_TEXT), ("dark", colours.DARK_TEXT)):
        on, accent_there, strong = (getattr(each, scheme) for each in (made.on_accent, made.accent, made.accent_strong))
        assert contrast(on, accent_there) >= READABLE
        assert contrast(on, strong) >= READABLE
        assert contrast(text, getattr(made.selection, scheme)) >= READABLE
        assert contrast(text, getattr(made.accent_soft, scheme)) >= READABLE
        assert contrast(muted[scheme], getattr(made.accent_soft, scheme)) >= READABLE


def test_the_tokens_are_those_of_the_pages() -> None:
    tokens = palette("#0c6a60").tokens()
    assert len(tokens) == 6
    for name, value in tokens.items():
        assert f"{name}: " in TOKENS
        assert re.fullmatch(r"light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\)", value)


def test_a_mixture_has_so_much_of_each() -> None:
    assert (mix(WHITE, BLACK, 0), mix(WHITE, BLACK, 100), mix("#ff0000", "#0000ff", 50)) == (WHITE, BLACK, "#800080")
