"""The journal and how long was thought."""

from pathlib import Path

from flask_app.services.runs import lease_service
from tests.routes.journal.answers import message


def test_what_waited_on_disk_has_it(journalled: Path) -> None:
    content = journalled.read_text()
    assert '"thinking_ms":null' in content
    known = content.replace('"thinking_ms":null', '"thinking_ms":4321').replace(
        '"reasoning_parts":[]', '"reasoning_parts":["hm"]'
    )
    journalled.write_text(known)
    lease_service.tick()
    assert (message().reasoning, message().thinking_ms) == ("hm", 4321)


def test_a_file_of_the_version_before_is_settled_without_it(journalled: Path) -> None:
    content = journalled.read_text()
    journalled.write_text(content.replace('"thinking_from_ms":null,"thinking_ms":null,', ""))
    assert journalled.read_text() != content
    lease_service.tick()
    assert (message().status, message().thinking_ms) == ("complete", None)
