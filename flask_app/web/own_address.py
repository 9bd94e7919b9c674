"""The site's address for letters that strangers ask for: one that the settings name, whatever the request says.

The Host header is the asker's. A letter that led to another name below `.example.org`, or to another port of the same
machine, would hand its token to whoever listens there.
"""

from flask import request

from flask_app import config
from flask_app.config import Config

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def for_letters() -> str | None:
    """None at an address that the settings do not name: there no letter can be asked for.

    This machine's own names count only where no other is named, nor a domain. A name without a port is at the server's
    own where no proxy is before it, and at the scheme's default behind one.
    """
    host = request.host.lower()
    return f"{request.scheme}://{host}" if host in map(_as_asked_for, _named()) else None


def _named() -> list[str]:
    known = config.current().allowed_hosts
    named = [host for host in known if host not in Config.allowed_hosts]
    return [host for host in named or known if not host.startswith(".")]


def _as_asked_for(host: str) -> str:
    """Browsers leave out the port that is the default."""
    settings = config.current()
    name, _, port = host.partition(":")
    if not port and not settings.trusted_proxies:
        port = str(settings.port)
    return name if port in {"", _DEFAULT_PORTS[request.scheme]} else f"{name}:{port}"
