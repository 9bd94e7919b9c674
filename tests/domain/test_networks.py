"""Networks and addresses as people write them."""

import pytest

from flask_app.domain import networks


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7/32 ", "203.0.113.7"),
        ("198.51.100.9/24", "198.51.100.0/24"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::/0", "::/0"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_each_has_one_shortest_form(typed: str, meant: str) -> None:
    assert networks.written(networks.read(typed)) == meant
    assert networks.written(networks.read(meant)) == meant


@pytest.mark.parametrize(
    "typed",
    [
        *("", "*", "example.org", "203.0.113", "203.0.113.256", "203.0.113.7/33", "01.2.3.4", "2001:db8::/129", "1"),
        "１.2.3.4",
        *("fe80::1%eth0", "fe80::%eth0/64", "203.0.113.7 198.51.100.7", "203.0.113.1-203.0.113.9", "203.0.113.7:443"),
    ],
)
def test_what_is_neither_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        networks.read(typed)


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        *[("203.0.113.7", True), ("203.0.113.8", False), ("198.51.100.255", True), ("198.51.101.0", False)],
        *[("2001:db8:ffff::1", True), ("2001:db9::", False), ("fe80::1%eth0", True), ("::ffff:203.0.113.7", True)],
        *[("", False), ("unknown", False), ("/run/socket", False)],
    ],
)
def test_an_address_is_in_one_of_them_or_in_none(address: str, is_in: bool) -> None:
    listed = [networks.read(each) for each in ("203.0.113.7", "198.51.100.0/24", "2001:db8::/32", "fe80::/10")]
    assert networks.hold(listed, address) is is_in
    assert not networks.hold([], address)
