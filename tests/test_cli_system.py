"""`flask system`: how the site stands, from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app import config
from flask_app.services.operations import upkeep_service
from tests.routes.test_system import process
from tests.support.keys import keep_key, keep_provider


def run(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["system"])


def parts(app: Flask) -> list[list[list[str]]]:
    """The tables below the first line, as words."""
    result = run(app)
    assert result.exit_code == 0, result.output
    head, *tables = result.output.split("\n\n")
    assert head == f"MingChat {config.VERSION}, {config.current().instance_dir}"
    return [[line.split() for line in table.splitlines()] for table in tables]


def test_a_new_site_says_what_is_there_and_what_is_not(app: Flask) -> None:
    checks, processes, jobs = parts(app)
    assert checks[0] == ["STATE", "CHECK", "FACTS"]
    assert ["warning", "backup_never", "-"] in checks
    assert ["ok", "journal_empty", "-"] in checks
    assert len(processes) == len(jobs) == 1


def test_processes_waiting_journals_jobs_and_keys_are_told(app: Flask) -> None:
    upkeep_service.tick()
    process("two", version="0.0.9", waiting=3, free_bytes=100 << 20)
    provider = keep_provider("a provider", "http://127.0.0.1:9", models=["m"])
    keep_key(provider, "tired", bench_code="key_refused")
    checks, (_, *processes), (_, *jobs), *_ = parts(app)
    assert ["warning", "journal_waits", "count", "3"] in checks
    (other,) = [line for line in processes if line[0] == "two"]
    assert (other[1:4], other[-2:]) == (["7", "0.0.9", "serves"], ["100", "3"])
    assert {line[0] for line in jobs} == {job.__module__.rpartition(".")[2] for job in upkeep_service.JOBS}
    assert {line[-1] for line in jobs} == {"well"}
