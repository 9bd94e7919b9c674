"""The folder in which workers keep their counts."""

import os
from pathlib import Path

import pytest

from scripts import metrics_files, settings


def test_what_a_killed_server_left_goes_and_a_living_ones_stays(tmp_path: Path) -> None:
    gone, living, foreign = (
        tmp_path / name for name in ("mingchat-metrics-999999999-x", "mingchat-metrics-1-x", "else")
    )
    for folder in (gone, living, foreign):
        folder.mkdir()
        (folder / "counter_0.db").write_bytes(b"")
    made = metrics_files.make(tmp_path)
    assert made.name.startswith(f"mingchat-metrics-{os.getpid()}-")
    assert sorted(tmp_path.iterdir()) == sorted([foreign, living, made])


@pytest.mark.parametrize(("taken", "free"), [([], 0), ([0, 1], 2), ([1], 0), ([0, 2], 1)])
def test_a_new_worker_takes_the_lowest_slot_that_is_free(taken: list[int], free: int) -> None:
    assert metrics_files.free_slot(taken) == free


def test_a_worker_that_is_gone_does_nothing_any_more_and_what_it_counted_stays(tmp_path: Path) -> None:
    for name in ("gauge_livesum_0.db", "gauge_livesum_1.db", "counter_0.db"):
        (tmp_path / name).write_bytes(b"")
    metrics_files.end(tmp_path, 0)
    assert {file.name for file in tmp_path.iterdir()} == {"gauge_livesum_1.db", "counter_0.db"}


@pytest.mark.parametrize("name", ["METRICS_TOKEN", "METRICS_TOKEN_FILE"])
def test_there_are_counts_to_share_where_a_token_is_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    monkeypatch.delenv("METRICS_TOKEN_FILE", raising=False)
    assert not settings.has_metrics()
    monkeypatch.setenv(name, "something")
    assert settings.has_metrics()
