"""Where the instances are, as shipped, in nginx's own opinion; the other tests have a file of their own instead."""

import re
from pathlib import Path

import pytest

from tests.stack import front
from tests.support.ports import free_port

SHIPPED = (front.SHIPPED / "upstream.conf").read_text()


def of_compose() -> str:
    """As it is, but for a name that is Docker's, a word that came with nginx 1.27.3, and its port."""
    changes = {"flask-app:5000 resolve": "127.0.0.1:5000", "listen 5000;": f"listen 127.0.0.1:{free_port()};"}
    text = SHIPPED
    for shipped, here in changes.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


def of_elsewhere() -> str:
    """What its head says to write where there is no Docker."""
    return "\n".join(re.findall(r"^# {5}(.*)$", SHIPPED, re.M))


@pytest.mark.parametrize("text", [of_compose(), of_elsewhere()], ids=["compose", "elsewhere"])
def test_it_is_in_order(tmp_path: Path, text: str) -> None:
    assert "upstream mingchat {" in text
    with front.before(tmp_path, [free_port()]) as running:
        (tmp_path / "upstream.conf").write_text(text)
        said = running.check()
        assert "test is successful" in said
        assert "[warn]" not in said
        (tmp_path / "upstream.conf").write_text(text.replace("keepalive 64;", "keepalive;"))
        assert "test failed" in running.check(), "it is this file that was read"
