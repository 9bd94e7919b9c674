import pytest

from flask_app.errors import Invalid
from flask_app.upstream.addresses import normalise


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


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_private_hosts_need_the_sites_leave(host: str) -> None:
    with pytest.raises(Invalid, match="address_private"):
        normalise(f"https://{host}/v1", allow_insecure=False)
    assert normalise(f"http://{host}:8000/v1", allow_insecure=True).startswith("http://")


def test_even_then_only_http_is_spoken() -> None:
    with pytest.raises(Invalid, match="address_not_https"):
        normalise("ftp://127.0.0.1", allow_insecure=True)
