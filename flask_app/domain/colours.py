"""A site's own accent: every colour that follows from it, light and dark, all of which can be read (WCAG 2.2 AA)."""

from dataclasses import asdict, dataclass

READABLE = 4.5  # of text to its ground
WHITE, BLACK = "#ffffff", "#000000"

# The grounds that text of the accent stands on, and the text itself, as static/css/tokens.css has them.
LIGHT_GROUNDS = ("#fbfaf7", "#ffffff", "#f3f1ec", "#efede6")
DARK_GROUNDS = ("#131614", "#1a1e1c", "#222724", "#0e110f", "#252b28")
LIGHT_TEXT, DARK_TEXT = "#1e2321", "#e7eae7"


@dataclass(frozen=True, slots=True)
class Pair:
    """A colour on light pages and on dark ones."""

    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The tokens that follow from an accent; a field is a token's name."""

    accent: Pair
    accent_strong: Pair
    on_accent: Pair
    accent_soft: Pair
    focus: Pair
    selection: Pair

    def tokens(self) -> dict[str, str]:
        """A token → its value in a style sheet."""
        return {
            f"--color-{name.replace('_', '-')}": f"light-dark({pair['light']}, {pair['dark']})"
            for name, pair in asdict(self).items()
        }


def least_contrast(accent: str) -> float:
    """Of the accent as text on light grounds: what it is on the worst of them."""
    return min(contrast(accent, ground) for ground in LIGHT_GROUNDS)


def palette(accent: str) -> Palette:
    """What follows from `accent` (#rrggbb), which can be read on light grounds (`least_contrast`).

    Dark pages get it as much lighter as they need.
    """
    soft_light = next(soft for soft in _shades(accent, WHITE, range(88, 101)) if contrast(accent, soft) >= READABLE)
    soft_dark = mix(accent, DARK_GROUNDS[0], 80)
    grounds = (*DARK_GROUNDS, soft_dark)
    dark = next(each for each in _shades(accent, WHITE, range(101)) if _is_read_on(each, grounds))
    focus = Pair(accent, dark)
    return Palette(
        accent=focus,
        accent_strong=Pair(mix(accent, BLACK, 22), mix(dark, WHITE, 25)),
        on_accent=Pair(WHITE, mix(dark, BLACK, 85)),
        accent_soft=Pair(soft_light, soft_dark),
        focus=focus,
        selection=Pair(_readable_under(LIGHT_TEXT, accent, WHITE), _readable_under(DARK_TEXT, accent, DARK_GROUNDS[0])),
    )


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, percent: int) -> str:
    """So much of `other` in `colour`."""
    parts = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round((one * (100 - percent) + two * percent) / 100):02x}" for one, two in parts)


def _shades(colour: str, other: str, percents: range) -> list[str]:
    return [mix(colour, other, percent) for percent in percents]


def _is_read_on(colour: str, grounds: tuple[str, ...]) -> bool:
    return all(contrast(colour, ground) >= READABLE for ground in grounds)


def _readable_under(text: str, accent: str, ground: str) -> str:
    """A ground with some of the accent in it, for selected text."""
    return next(each for each in _shades(accent, ground, range(60, 101)) if contrast(text, each) >= READABLE)


def _luminance(colour: str) -> float:
    """As WCAG has it."""
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _parts(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
