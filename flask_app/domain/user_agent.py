"""Which browser and which system a user agent names, as a person reads them."""

# The first that a user agent names is what it is: the others' names stand in it for old servers' sake.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("MicroMessenger/", "WeChat"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser(user_agent: str) -> str | None:
    """None where it names none that is known."""
    return _first(BROWSERS, user_agent)


def system(user_agent: str) -> str | None:
    """None where it names none that is known."""
    return _first(SYSTEMS, user_agent)


def shown(user_agent: str) -> str | None:
    """Browser and system in one; None where it names neither."""
    return " · ".join(name for name in (browser(user_agent), system(user_agent)) if name) or None


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for mark, name in known if mark in user_agent), None)
