"""Which base URLs a provider may have: https to a public host, unless the site allows insecure ones."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from flask_app.errors import Invalid

MAX_LENGTH = 500

_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?")
_NAT64 = IPv6Network("64:ff9b::/96")
# Reserved or given up, yet global to Python: the unspecified and IPv4-compatible, local NAT64, site-local, 6to4 relays.
_LEFT_OVER = tuple(map(ip_network, ("::/96", "64:ff9b:1::/48", "fec0::/10", "192.88.99.0/24")))
_PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa", "lan", "intranet", "corp", "private")


def normalise(base_url: str, *, allow_insecure: bool) -> str:
    """The base URL in the one way it is stored: lower-case host, no default port, no slash at its end.

    Raises Invalid: `address_malformed`, `address_not_https` or `address_private`. With `allow_insecure` plain http
    and private hosts pass. What a name resolves to is not looked at here.
    """
    url = _split(base_url.strip())
    host, port = _host(url), _port(url)
    if url.scheme != "https" and not (allow_insecure and url.scheme == "http"):
        raise Invalid("address_not_https")
    if not allow_insecure and _is_private(host):
        raise Invalid("address_private")
    shown = f"[{host}]" if ":" in host else host
    path = url.path.rstrip("/").removesuffix("/chat/completions")  # providers' pages show the whole address
    return f"{url.scheme}://{shown}{port}{path}"


def _split(base_url: str) -> SplitResult:
    odd = any(character.isspace() or not character.isprintable() or character == "\\" for character in base_url)
    if odd or len(base_url) > MAX_LENGTH or any(mark in base_url for mark in "?#@"):
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
    default = {"https": 443, "http": 80}.get(url.scheme)
    return "" if port in (None, default) else f":{port}"


def _is_private(host: str) -> bool:
    address = _literal(host)
    if address is None:
        return "." not in host or host.endswith(tuple(f".{name}" for name in _PRIVATE_NAMES))
    reached = _embedded(address) or address
    return not reached.is_global or reached.is_multicast or any(reached in network for network in _LEFT_OVER)


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
