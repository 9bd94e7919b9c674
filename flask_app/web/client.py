"""Who is calling: the address behind trusted proxies, and what the browser remembers of an earlier sign-in."""

from flask import Flask, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from flask_app import config
from flask_app.services.sign_in.auth_service import Browser
from flask_app.web import cookies

# The cookie that a browser is known by. The one before has a signature of one person: a version that knows no other
# form writes it anew, while both versions run too, and what stands in ours stays.
KNOWN_BY, _ONCE_KNOWN_BY = "browser", "device"


def init_app(app: Flask) -> None:
    """Believe forwarded headers from exactly as many proxies as the settings name, and none by default."""
    if hops := config.current().trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def client_address() -> str:
    """The caller's address as text; empty where there is none (a socket file)."""
    return (request.remote_addr or "").removeprefix("::ffff:")


def browser() -> Browser:
    return Browser(
        address=client_address(),
        user_agent=request.user_agent.string,
        device=cookies.read(KNOWN_BY) or cookies.read(_ONCE_KNOWN_BY) or "",
        locale=shown_language(),
    )


def shown_language() -> str | None:
    """What pages are shown in; None to a script that names no language, which would take the usual one for its own."""
    return g.locale if g.names_language else None
