"""The real local model in its real process: nothing here is scripted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from flask_app.upstream.local_model import BUNDLED_NAME, Endpoint, LocalModel, LocalModelUnavailable

pytestmark = pytest.mark.local_model

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import time
from flask_app.upstream.local_model import LocalModel
print(LocalModel().endpoint().base_url, flush=True)
time.sleep(60)
"""


@pytest.fixture
def model() -> Iterator[LocalModel]:
    model = LocalModel()
    assert model.available(), "requirements-demo.txt is not installed"
    yield model
    model.stop()


def test_streams_a_completion_that_ends_with_its_usage(model: LocalModel) -> None:
    events = _stream(model.endpoint(), "Say hello.")
    text = "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])
    assert text.strip()
    assert events[-1]["usage"]["completion_tokens"] > 0
    assert {event["model"] for event in events} == {BUNDLED_NAME}, "a reply must not tell the file's path"


def test_answers_two_people_at_once(model: LocalModel) -> None:
    endpoint = model.endpoint()
    with _open(endpoint, "Count to one hundred.", max_tokens=200) as long, _open(endpoint, "Hi.") as short:
        assert b"[DONE]" in short.data
        assert b"[DONE]" in long.data


def test_refuses_whoever_does_not_know_the_key(model: LocalModel) -> None:
    endpoint = model.endpoint()
    with _open(Endpoint(endpoint.base_url, "guess"), "Hi.") as response:
        assert response.status == 401


def test_key_is_visible_neither_in_the_command_line_nor_in_the_environment(model: LocalModel) -> None:
    endpoint, proc = model.endpoint(), Path(f"/proc/{_pid(model)}")
    if not proc.exists():
        pytest.skip("this system has no /proc to look into")
    assert b"local_model_server" in (proc / "cmdline").read_bytes()
    assert endpoint.api_key.encode() not in (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()


def test_child_inherits_no_secret_of_the_application(monkeypatch: pytest.MonkeyPatch, model: LocalModel) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-in-the-environment")
    model.endpoint()
    environ = Path(f"/proc/{_pid(model)}/environ")
    if not environ.exists():
        pytest.skip("this system has no /proc to look into")
    assert b"PATH=" in environ.read_bytes()
    assert b"canary" not in environ.read_bytes()


def test_stays_the_same_process_between_answers(model: LocalModel) -> None:
    assert model.endpoint() == model.endpoint()


def test_starts_again_after_its_process_was_killed(model: LocalModel) -> None:
    before, pid = model.endpoint(), _pid(model)
    os.kill(pid, signal.SIGKILL)
    assert _soon(lambda: not _lives(model))
    after = model.endpoint()
    assert after != before
    assert _stream(after, "Hi.")


def test_stops_when_idle_and_starts_again_when_asked() -> None:
    model = LocalModel(idle_after=3)
    before = model.endpoint()
    assert _soon(lambda: not _listens(before))
    assert model._child is None
    after = model.endpoint()
    assert after != before
    assert _listens(after)
    model.stop()


def test_is_not_idle_while_it_answers() -> None:
    model = LocalModel(idle_after=1.5)
    started = time.monotonic()
    with _open(model.endpoint(), "Write a long story.", max_tokens=400) as response:
        assert b"[DONE]" in response.data
    assert time.monotonic() - started > 1.5, "the answer must outlast the idle time for this test to mean anything"
    model.stop()


def test_warm_up_starts_it_in_the_background(model: LocalModel) -> None:
    started = time.monotonic()
    model.warm_up()
    kept = time.monotonic() - started
    assert _soon(lambda: model._child is not None)
    assert kept < (time.monotonic() - started) / 2, "warming up must not keep the caller waiting"


def test_dies_with_a_parent_that_was_killed() -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        endpoint = Endpoint(parent.stdout.readline().strip(), "")
        assert _listens(endpoint), "the model must run for this test to mean anything"
        parent.kill()
    assert _soon(lambda: not _listens(endpoint))


def test_a_file_that_is_no_model_is_reported_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"not a model")
    model = LocalModel(file)
    assert model.name == "broken"
    with pytest.raises(LocalModelUnavailable, match="ended while starting"):
        model.endpoint()
    assert f"did not load from {file}" in capfd.readouterr().err


def test_a_model_that_takes_too_long_is_given_up_and_ended() -> None:
    model = LocalModel(ready_within=0.01)
    with pytest.raises(LocalModelUnavailable, match=r"not ready within 0\.01 s"):
        model.endpoint()
    assert model._child is None


def test_an_absent_file_is_not_available(tmp_path: Path) -> None:
    model = LocalModel(tmp_path / "absent.gguf")
    assert not model.available()
    with pytest.raises(LocalModelUnavailable, match="no local model is installed"):
        model.endpoint()


def _open(endpoint: Endpoint, question: str, *, max_tokens: int = 20) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        "POST",
        f"{endpoint.base_url}/chat/completions",
        headers={"Authorization": f"Bearer {endpoint.api_key}"},
        json={
            "messages": [{"role": "user", "content": question}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": max_tokens,
        },
        preload_content=False,
        retries=False,
    )


def _stream(endpoint: Endpoint, question: str) -> list[dict]:  # type: ignore[type-arg]  # any JSON
    with _open(endpoint, question) as response:
        assert response.status == 200
        lines = response.data.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def _listens(endpoint: Endpoint) -> bool:
    try:
        with urllib3.request("GET", f"{endpoint.base_url}/models", retries=False, preload_content=False):
            return True
    except urllib3.exceptions.HTTPError:
        return False


def _lives(model: LocalModel) -> bool:
    assert model._child
    return model._child.lives()


def _pid(model: LocalModel) -> int:
    assert model._child
    return model._child.process.pid


def _soon(happens: Callable[[], bool], *, within: float = 60) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if happens():
            return True
        time.sleep(0.02)
    return False
