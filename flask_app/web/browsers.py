"""The browsers a person is signed in with, as the API shows them."""

from collections.abc import Iterable
from datetime import datetime

from flask_app.models import LoginSession
from flask_app.web.bodies import Reply

# The first that a user agent names is what it is: the others' names stand in it for old servers' sake.
_BROWSERS = (
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
_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class SessionReply(Reply):
    """`browser` and `system` are read from the user agent, null where it names none we know.

    `current`: the one that asked.
    """

    id: str
    browser: str | None
    system: str | None
    address: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


class SessionsReply(Reply):
    sessions: list[SessionReply]


def sessions_reply(sessions: Iterable[LoginSession], *, here: str) -> SessionsReply:
    return SessionsReply(
        sessions=[
            SessionReply(
                id=session.id,
                browser=_first(_BROWSERS, session.user_agent),
                system=_first(_SYSTEMS, session.user_agent),
                address=session.address,
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
                current=session.id == here,
            )
            for session in sessions
        ]
    )


def shown(user_agent: str) -> str | None:
    """The browser and the system that a user agent names, as a person reads them; None where it names neither."""
    return " · ".join(name for known in (_BROWSERS, _SYSTEMS) if (name := _first(known, user_agent))) or None


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for mark, name in known if mark in user_agent), None)
