"""Where a provider or a webhook may be: https to a public host, unless the site allows insecure ones.

`normalise` looks at what an address says, `resolve` at where its host is when a connection is about to be made.
"""

import re
import socket
import threading
from collections.abc import Container
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask_app.errors import Invalid, UpstreamError
from flask_app.upstream import names

MAX_LENGTH = 500
MAX_TRIED = 4  # addresses of one name: each may cost a connection's whole patience

Place = tuple[socket.AddressFamily, tuple[Any, ...]]  # what a socket is made for, and what it connects to

_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?")
_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")  # all that is given out; the rest is reserved, local or given up (RFC 4291, 2.4)
_RELAYS = IPv4Network("192.88.99.0/24")  # of 6to4, given up, yet global to Python
_PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa", "lan", "intranet", "corp", "private")


def normalise(base_url: str, *, allow_insecure: bool) -> str:
    """The base URL in the one way it is stored: lower-case host, no default port, no slash at its end.

    Raises Invalid: `address_malformed`, `address_not_https` or `address_private`. With `allow_insecure` plain http
    and private hosts pass. What a name resolves to is for `resolve` to see.
    """
    url = _split(base_url.strip(), refused="?#@")
    path = url.path.rstrip("/").removesuffix("/chat/completions")  # providers' pages show the whole address
    return _origin(url, allow_insecure=allow_insecure) + path


def normalise_webhook(url: str, *, allow_insecure: bool) -> str:
    """The same for the whole address of a webhook, which may have a query. Raises Invalid as `normalise` does."""
    parts = _split(url.strip(), refused="#@")
    if not parts.query.isascii():
        raise Invalid("address_malformed")
    query = f"?{parts.query}" if parts.query else ""
    return _origin(parts, allow_insecure=allow_insecure) + parts.path + query


def normalise_directory(address: str) -> str:
    """A directory's address, ldaps:// or ldap:// and a host, which may be of this machine or network: directories are.

    Raises Invalid("address_malformed").
    """
    url = _split(address.strip(), refused="?#@")
    if url.scheme not in {"ldaps", "ldap"} or url.path.rstrip("/"):
        raise Invalid("address_malformed")
    return _origin(url._replace(path=""), allow_insecure=True, schemes={"ldaps", "ldap"})


def resolve(host: str, port: int, *, allow_insecure: bool, seconds: float, woken: threading.Event) -> list[Place]:
    """Where to connect for `host` now. The connection goes to one of these, and asks no resolver a second time.

    Waits for so many seconds at most, or until somebody sets `woken`. Raises UpstreamError: `upstream_unreachable` for
    a name without an address, or where no resolver replied by then, `upstream_address_private` when even one of the
    addresses is not public and private ones are not allowed.
    """
    try:
        answers = names.look_up(host, port, seconds=seconds, woken=woken)
    except OSError as error:
        raise UpstreamError("upstream_unreachable", retryable=True) from error
    found: list[Place] = [(family, place) for family, _, _, _, place in answers]
    if not allow_insecure and not all(is_public(ip_address(place[0])) for _, place in found):
        raise UpstreamError("upstream_address_private", retryable=True)  # a name may move
    return found[:MAX_TRIED]


def is_one_host(address: IPv4Address | IPv6Address) -> bool:
    """Does it lead to a host that somebody can have set up, here or outside?

    Link-local ones are machines' own business: a cloud keeps its secrets there.
    """
    reached = _embedded(address) or address
    return not (reached.is_multicast or reached.is_unspecified or reached.is_link_local)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Does the address lead to a host of the open internet, and to one only?"""
    reached = _embedded(address) or address
    if reached.version == 6 and reached not in _UNICAST:
        return False
    return reached.is_global and not reached.is_multicast and reached not in _RELAYS


def _origin(url: SplitResult, *, allow_insecure: bool, schemes: Container[str] = ("http",)) -> str:
    host, port = _host(url), _port(url)
    if url.scheme != "https" and not (allow_insecure and url.scheme in schemes):
        raise Invalid("address_not_https")
    if not allow_insecure and _is_private(host):
        raise Invalid("address_private")
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}{port}"


def _split(base_url: str, *, refused: str) -> SplitResult:
    odd = any(character.isspace() or not character.isprintable() or character == "\\" for character in base_url)
    if odd or len(base_url) > MAX_LENGTH or any(mark in base_url for mark in refused):
        raise Invalid("address_malformed")
    try:
        url = urlsplit(base_url)
    except ValueError as error:
        raise Invalid("address_malformed") from error
    if "//" in url.path or any(part in {".", ".."} for part in url.path.split("/")) or not url.path.isascii():
        raise Invalid("address_malformed")
    return url


def _host(url: SplitResult) -> str:
    try:
        host = (url.hostname or "").encode("idna").decode().lower()
    except UnicodeError as error:
        raise Invalid("address_malformed") from error
    if ":" in host and "%" not in host and (address := _literal(host)):
        return str(address)
    if not _HOST_NAME.fullmatch(host):
        raise Invalid("address_malformed")
    return host.removesuffix(".")


def _port(url: SplitResult) -> str:
    try:
        port = url.port
    except ValueError as error:
        raise Invalid("address_malformed") from error
    if port == 0:
        raise Invalid("address_malformed")
    default = {"https": 443, "http": 80, "ldaps": 636, "ldap": 389}.get(url.scheme)
    return "" if port in (None, default) else f":{port}"


def _is_private(host: str) -> bool:
    address = _literal(host)
    if address is None:
        return "." not in host or host.endswith(tuple(f".{name}" for name in _PRIVATE_NAMES))
    return not is_public(address)


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is, also in the forms that only resolvers read: 127.1, 0x7f000001, 2130706433."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
