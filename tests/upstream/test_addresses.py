import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from flask_app.errors import Invalid, UpstreamError
from flask_app.upstream import addresses
from flask_app.upstream.addresses import MAX_TRIED, Place, is_public, normalise


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("https://api.deepseek.com", "https://api.deepseek.com"),
        ("  https://API.DeepSeek.com/  ", "https://api.deepseek.com"),
        ("HTTPS://api.example.com:443/v1/", "https://api.example.com/v1"),
        ("https://api.example.com:8443/v1/", "https://api.example.com:8443/v1"),
        ("https://api.example.com./v1", "https://api.example.com/v1"),
        ("https://模型.example.com", "https://xn--xgs754b.example.com"),
        ("https://8.8.8.8/v1", "https://8.8.8.8/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://[2606:4700:0::1111]/v1", "https://[2606:4700::1111]/v1"),
    ],
)
def test_a_public_https_address_is_stored_in_one_way(given: str, stored: str) -> None:
    assert normalise(given, allow_insecure=False) == stored
    assert normalise(stored, allow_insecure=False) == stored


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "https://",
        "https:///v1",
        "https://user:pass@api.example.com",
        "https://api.example.com@evil.example",
        "https://api.example.com/?key=1",
        "https://api.example.com/#v1",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https://api example.com",
        "https://api.example.com\\@evil.example",
        "https://api.example.com/\r\nHost: evil",
        "https://api.example.com//v1",
        "https://api.example.com/../v1",
        "https://-bad.example.com",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://" + "a" * 64 + ".example.com",
        "https://api.example.com/" + "a" * 500,
        "https://api.example.com/é",
    ],
)
def test_a_malformed_address_is_refused_even_where_insecure_ones_are_allowed(malformed: str) -> None:
    for allow_insecure in (False, True):
        with pytest.raises(Invalid, match="address_malformed"):
            normalise(malformed, allow_insecure=allow_insecure)


@pytest.mark.parametrize(
    "other", ["http://api.example.com", "ftp://api.example.com", "file://host/etc", "//host.example"]
)
def test_only_https_is_accepted(other: str) -> None:
    with pytest.raises(Invalid, match="address_not_https"):
        normalise(other, allow_insecure=False)


PRIVATE_HOSTS = [
    "localhost",
    "localhost.",
    "db",
    "printer.local",
    "metadata.google.internal",
    "[::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[fec0::1]",
    "192.88.99.1",
    "app.localhost",
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fd00::1]",
    "[fe80::1]",
]


@pytest.mark.security("providers-addresses")
@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_private_hosts_need_the_sites_leave(host: str) -> None:
    with pytest.raises(Invalid, match="address_private"):
        normalise(f"https://{host}/v1", allow_insecure=False)
    assert normalise(f"http://{host}:8000/v1", allow_insecure=True).startswith("http://")


def test_even_then_only_http_is_spoken() -> None:
    with pytest.raises(Invalid, match="address_not_https"):
        normalise("ftp://127.0.0.1", allow_insecure=True)


NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",  # IPv4-translated (RFC 2765)
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",  # Teredo
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:a00:1::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # a cloud's metadata
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "223.255.255.254",
    "2606:4700::1111",
    "2400:3200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.security("providers-addresses")
@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_of_the_open_internet_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_internet_is_known(address: str) -> None:
    assert is_public(ip_address(address))


Resolver = Callable[..., None]


def resolve(host: str, port: int, *, allow_insecure: bool) -> list[Place]:
    return addresses.resolve(host, port, allow_insecure=allow_insecure, seconds=10, woken=threading.Event())


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """The network's own resolver, answering with these addresses, or failing."""

    def answers(*addresses: str, failure: Exception | None = None) -> None:
        def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            if failure:
                raise failure
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
                if ":" in address
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return answers


def test_a_public_name_gives_every_address_in_the_resolvers_order(resolver: Resolver) -> None:
    resolver("2606:4700::1111", "8.8.8.8")
    assert resolve("api.example.com", 443, allow_insecure=False) == [
        (socket.AF_INET6, ("2606:4700::1111", 443, 0, 0)),
        (socket.AF_INET, ("8.8.8.8", 443)),
    ]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_with_one_address_that_is_not_public_is_refused_whole(resolver: Resolver, address: str) -> None:
    for answers in ([address], ["8.8.8.8", address], [*["8.8.8.8"] * MAX_TRIED, address]):
        resolver(*answers)
        with pytest.raises(UpstreamError, match="upstream_address_private"):
            resolve("api.example.com", 443, allow_insecure=False)
        assert resolve("api.example.com", 443, allow_insecure=True)


def test_a_name_with_many_addresses_does_not_cost_as_many_time_outs(resolver: Resolver) -> None:
    resolver(*(f"8.8.8.{last}" for last in range(100)))
    assert len(resolve("api.example.com", 443, allow_insecure=False)) == MAX_TRIED


@pytest.mark.parametrize(
    "failure", [socket.gaierror(socket.EAI_NONAME, "unknown"), OSError("no network"), UnicodeError("label too long")]
)
def test_a_name_without_an_address_is_unreachable(resolver: Resolver, failure: Exception) -> None:
    resolver(failure=failure)
    for allow_insecure in (False, True):
        with pytest.raises(UpstreamError, match="upstream_unreachable") as caught:
            resolve("api.example.com", 443, allow_insecure=allow_insecure)
        assert caught.value.retryable


def test_this_machines_own_name_is_looked_up_and_refused() -> None:
    with pytest.raises(UpstreamError, match="upstream_address_private"):
        resolve("localhost", 8000, allow_insecure=False)
    places = [place for _, place in resolve("localhost", 8000, allow_insecure=True)]
    assert ("127.0.0.1", 8000) in places or ("::1", 8000, 0, 0) in places


@pytest.mark.security("request-forgery")
@pytest.mark.parametrize("literal", ["127.1", "0x7f000001", "2130706433", "::ffff:127.0.0.1", "0"])
def test_numbers_in_disguise_do_not_pass_the_resolver(literal: str) -> None:
    with pytest.raises(UpstreamError, match="upstream_address_private"):
        resolve(literal, 443, allow_insecure=False)
