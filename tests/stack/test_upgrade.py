"""While two versions serve side by side, as during a rolling restart."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import bytecode, environment
from tests.stack.site import Stack, copy_of_the_code
from tests.support.served import Visitor

ADDRESS = re.compile(r'/static/[0-9a-f]{16}/[^"]+\.\w+')  # of a file, not of the folder that modules are found in


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The code of a version in which one static file is another."""
    root = copy_of_the_code(tmp_path / "newer")
    with (root / "flask_app/static/css/tokens.css").open("a") as style:
        style.write("\n/* of the newer version */\n")
    return root


@pytest.fixture
def upgrading(stack: Stack, newer: Path) -> Iterator[Stack]:
    """The first instance is of the newer version already."""
    first = stack.instances[0]
    first.end()
    first.start_again(newer, MINGCHAT_VENV=str(environment.VENV))
    yield stack
    first.end()
    first.start_again()
    shutil.rmtree(bytecode.folder_of(newer))


def test_a_page_of_either_version_has_its_static_files(upgrading: Stack) -> None:
    instances = [Visitor(instance.base_url) for instance in upgrading.instances]
    pages = [set(ADDRESS.findall(visitor.get("/login").data.decode())) for visitor in instances]
    assert all(len(addresses) > 3 for addresses in pages), "each is likely to meet either instance"
    for visitor, addresses in zip(reversed(instances), pages, strict=True):
        assert {visitor.get(address).status for address in addresses} == {404}, "the other has none of them"

    through_nginx = upgrading.visitor()
    assert {through_nginx.get(address).status for addresses in pages for address in addresses} == {200}
    assert through_nginx.get(f"/static/{'0' * 16}/css/tokens.css").status == 404, "of no version"
