"""The site as passkeys know it: by the name in the address, which is one of ALLOWED_HOSTS or nothing is answered."""

import ipaddress
from urllib.parse import urlsplit

from flask import request

from flask_app.errors import Conflict
from flask_app.services.sign_in.passkey_ceremony import RelyingParty

NEEDS_NAME, NEEDS_HTTPS = "passkeys_need_name", "passkeys_need_https"


def current() -> RelyingParty:
    """Raises Conflict("passkeys_need_name", "passkeys_need_https") where browsers make no passkeys."""
    if reason := why_not():
        raise Conflict(reason)
    return RelyingParty(host_name(), f"{request.scheme}://{request.host.lower()}")


def why_not() -> str | None:
    """The code of what keeps browsers from passkeys at this address; None where nothing does.

    They are bound to a name, never to a number, and to https but for the machine itself (WebAuthn, section 5.1.3).
    """
    name = host_name()
    if _is_number(name):
        return NEEDS_NAME
    is_own = name == "localhost" or name.endswith(".localhost")
    return None if request.is_secure or is_own else NEEDS_HTTPS


def host_name() -> str:
    """Of the request's address, without the port."""
    return urlsplit(f"//{request.host}").hostname or ""


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
