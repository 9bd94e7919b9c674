"""No order of events gives an attempt two entries, or none, or another count than the provider's.

At length: `make sequences`.
"""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config, database
from flask_app.config import Config
from flask_app.database import reading
from flask_app.domain import tools
from flask_app.models import ChatModel
from flask_app.services.providers import model_service
from flask_app.services.runs import run_service
from flask_app.services.tokens import token_service
from flask_app.services.tools import calling, offers, tool_rounds
from tests.conftest import MakeUser
from tests.support import gateway, ledger_asking, sequences, who_searches
from tests.support.keys import keep_key, stored_key
from tests.support.ledger_place import Place
from tests.support.ledger_sequences import Sequences
from tests.support.ledger_workshop import PATIENCE_SECONDS, Workshop
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.storage import Seeds

RUNS = int(os.environ.get("LEDGER_RUNS", "20"))
STEPS = int(os.environ.get("LEDGER_STEPS", "40"))


@pytest.fixture
def folder(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.02,))
    monkeypatch.setattr(tool_rounds, "SAVE_SECONDS", 0.1)
    monkeypatch.setattr(tool_rounds, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(calling, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(tools, "CONFIRM_SECONDS", PATIENCE_SECONDS)
    yield tmp_path / "journal"
    run_service.shutdown()


@pytest.fixture
def bench(upstream: ScriptedUpstream) -> Iterator[Workshop]:
    workshop = Workshop()
    offers.SOURCES.append(source := workshop.source())
    upstream.pages = upstream.opened = workshop
    yield workshop
    offers.SOURCES.remove(source)


@pytest.mark.parametrize("runs", sequences.parts(RUNS))
def test_whatever_happens_the_ledger_is_exact(
    folder: Path,
    base_config: Config,
    seeds: Seeds,
    make_user: MakeUser,
    upstream: ScriptedUpstream,
    bench: Workshop,
    runs: int,
) -> None:
    database.connect(base_config.database_url)  # whose commits fail: other tests keep theirs

    def place() -> Place:
        seeds.restore()
        config.install(dataclasses.replace(base_config, instance_dir=folder.parent, max_runs_per_user=100))
        bench.forget()
        upstream.default = Answer("from another key", usage=Usage(prompt=13, completion=9))
        person, admin = make_user("person"), make_user("admin", "admin")
        model_service.available()
        who_searches.by_deepseek()
        keep_key(stored_key("environment").provider_id, "second")
        visit = token_service.visit(gateway.made(person).secret)
        assert visit
        with reading() as session:
            writer = session.scalars(select(ChatModel.id).where(ChatModel.name == ledger_asking.WRITER)).one()
        upstream.journal.clear()
        return Place(upstream, person, admin, visit, writer, base_config.database_url, folder, bench)

    machine = type("Machine", (Sequences,), {"place": staticmethod(place)})
    sequences.run(machine, runs, STEPS)
