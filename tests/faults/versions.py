"""A new version comes while the old one serves: its migration expands the schema, and one after it contracts it again.

Versions are copies of this one. The new one reads a mood with each message; the one after it does no longer, and with
nobody left who needs the column its migration may drop it.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from alembic import command
from alembic.config import Config as AlembicConfig

from scripts import schema
from tests.faults.exchange import Exchange
from tests.faults.fault import fault
from tests.faults.instance import Instance
from tests.faults.site import Site
from tests.support.served import ROOT, Visitor

ROW = "migration while the old version runs"
PARTS = ("alembic.ini", "flask_app", "gunicorn.conf.py", "migrations", "scripts", "wsgi.py")
TABLE_NAME = '    __tablename__ = "messages"\n'
FIELD = '    mood: Mapped[str] = mapped_column(String(16), server_default="")\n'
EXPANDED, CONTRACTED = "9001", "9002"

_HEAD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None
"""
_EXPAND = """
def {way}() -> None:
    op.create_table("moods", sa.Column("name", sa.String(16), primary_key=True))
    op.add_column("messages", sa.Column("mood", sa.String(16), nullable=False, server_default=""))
    op.add_column("proxy_logs", sa.Column("mood", sa.String(16), nullable=True))
    op.create_index("ix_token_usage_faults", "token_usage", ["user_id", "quarter"])
"""
_CONTRACT = """
def {way}() -> None:
    op.drop_index("ix_token_usage_faults", "token_usage")
    op.drop_column("proxy_logs", "mood")
    op.drop_column("messages", "mood")
    op.drop_table("moods")
"""


class Version:
    """A copy of this version whose schema goes up to `revision`."""

    def __init__(self, folder: Path, revision: str, *, knows_moods: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in (*PARTS, *(file.name for file in ROOT.glob("requirements*.txt"))):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, folder / name)
        self._add(EXPANDED, schema.newest(), _EXPAND, _CONTRACT)
        if revision == CONTRACTED:
            self._add(CONTRACTED, EXPANDED, _CONTRACT, _EXPAND)
        if knows_moods:
            model = folder / "flask_app/models/chat.py"
            model.write_text(model.read_text().replace(TABLE_NAME, TABLE_NAME + FIELD))

    def serve(self, instance: Instance) -> None:
        """In place of the version that the instance has; its start migrates."""
        instance.end()
        instance.start_again(self.folder, MINGCHAT_VENV=sys.prefix)

    def migrate(self, instance: Instance) -> None:
        """As a step of its own, with the settings of the instance."""
        subprocess.run(
            [sys.executable, "-m", "scripts.migrate"], cwd=self.folder, env=instance.server.environ, check=True
        )

    def undo(self, url: str) -> None:
        """Back to the schema of this version."""
        config = AlembicConfig(self.folder / "alembic.ini")
        config.attributes["url"] = url
        command.downgrade(config, schema.newest())

    def _add(self, revision: str, before: str, up: str, down: str) -> None:
        text = _HEAD.format(revision=revision, before=before) + up.format(way="upgrade") + down.format(way="downgrade")
        (self.folder / f"migrations/versions/{revision}_of_the_faults.py").write_text(text)


@fault(ROW, weight=1, kills=True)
def new_version_while_the_old_one_serves(site: Site, random: Random) -> None:
    old, new = random.sample(site.instances, 2)
    folder = site.folder / f"versions{len(site.exchanges)}"
    further, last = Version(folder / "further", EXPANDED), Version(folder / "last", CONTRACTED)
    try:
        begun = _begin(site, old)
        Version(folder / "next", EXPANDED, knows_moods=True).serve(new)
        _end(begun)
        _both_write(site, old, new)
        old.kill()  # also the old one must come back to what it does not know
        old.start_again()
        further.serve(new)
        begun = _begin(site, old, new)
        last.migrate(new)
        _end(begun)
        _end(_begin(site, old, new))
    finally:
        new.end()
        last.undo(site.database.url)
        shutil.rmtree(folder)


def _begin(site: Site, *instances: Instance) -> list[Exchange]:
    """Answers of each person that go on for seconds."""
    answers = [
        site.ask(user, words=60, rate=12, via=[instance.base_url]) for instance in instances for user in range(1, 5)
    ]
    for answer in answers:
        answer.wait_for_text()
    return answers


def _end(answers: list[Exchange]) -> None:
    assert [answer.wait() for answer in answers] == ["complete"] * len(answers), [each.status for each in answers]
    assert {answer.readings for answer in answers} == {1}, "a stream was broken"


def _both_write(site: Site, old: Instance, new: Instance) -> None:
    """And each reads what the other has written."""
    for writer, reader in ((old, new), (new, old)):
        answer = site.ask(1, via=[writer.base_url])
        assert answer.wait() == "complete", (answer.status, answer.refusals)
        visitor = Visitor(reader.base_url, site.people[1].headers)
        read = visitor.get(f"/api/conversations/{answer.ids['conversation_id']}")
        assert read.status == 200, read.data
        assert read.json()["messages"][1]["text"] == answer.text
