"""The site's address for letters that strangers ask for: one that the settings name, whatever the request says.

The Host header is the asker's. A letter that led to another name below `.example.org`, or to another port of the same
machine, would hand its token to whoever listens there.
"""

from flask import request

from flask_app import config
from flask_app.config import Config


def for_letters() -> str | None:
    """None at an address that the settings do not name: there no letter can be asked for.

    This machine's own names count only where no other is named. The server's own port counts where no proxy is
    before it; any other stands beside the name in ALLOWED_HOSTS.
    """
    host = request.host.lower()
    return f"{request.scheme}://{host}" if host in _named() else None


def _named() -> set[str]:
    settings = config.current()
    own = [host for host in settings.allowed_hosts if host not in Config.allowed_hosts and not host.startswith(".")]
    names = [_as_asked_for(host) for host in own] or list(Config.allowed_hosts)
    with_port = [] if settings.trusted_proxies else [f"{name}:{settings.port}" for name in names]
    return {*names, *with_port}


def _as_asked_for(host: str) -> str:
    """As browsers send it: in ASCII."""
    name, colon, port = host.partition(":")
    return host if host.isascii() else f"{name.encode('idna').decode()}{colon}{port}"
