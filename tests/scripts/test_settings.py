"""What is said before the application can say it."""

import pytest

from scripts import settings


@pytest.mark.parametrize(
    ("host", "allowed", "named"),
    [
        ("", "", None),
        ("127.0.0.1", "", None),
        ("::1", "", None),
        ("localhost", "", None),
        ("0.0.0.0", "chat.example.org", None),
        ("0.0.0.0", " ", "ALLOWED_HOSTS holds the name or address they use"),
        ("::", "", "ALLOWED_HOSTS holds the name or address they use"),
        ("192.168.1.20", "", "ALLOWED_HOSTS holds 192.168.1.20"),
    ],
)
def test_a_server_that_would_refuse_other_machines_says_so(
    monkeypatch: pytest.MonkeyPatch, host: str, allowed: str, named: str | None
) -> None:
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("ALLOWED_HOSTS", allowed)
    hint = settings.reach()
    assert hint is None if named is None else named in str(hint)
