"""FILES_URL: a bucket or a folder, and everything else stops the start in words that hold no key."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flask_app.config import Config
from flask_app.errors import ConfigError
from flask_app.files_setting import FilesPlace
from scripts import settings, settings_file

ROOT = Path(__file__).resolve().parents[1]
KEYS = {"FILES_ACCESS_KEY": "them", "FILES_SECRET_KEY": "geheim-geheim"}
ENDPOINT = "endpoint=https://s3.example.org"


def read(folder: Path, **environ: str) -> Config:
    return Config.from_environment({"INSTANCE_DIR": str(folder), **environ})


def test_without_it_contents_are_in_the_database(tmp_path: Path) -> None:
    assert read(tmp_path).files is None
    assert read(tmp_path, **KEYS).files is None


def test_a_bucket_has_an_address_and_keys(tmp_path: Path) -> None:
    place = read(tmp_path, FILES_URL=f"s3://files/of/chat?{ENDPOINT}/&region=eu-central-1", **KEYS).files
    assert place == FilesPlace(
        bucket="files",
        prefix="of/chat",
        endpoint="https://s3.example.org",
        region="eu-central-1",
        access_key="them",
        secret_key="geheim-geheim",
    )
    assert place.shown == "s3://files/of/chat"
    assert "geheim" not in repr(place)
    amazons = read(tmp_path, FILES_URL="s3://files?new=database", **KEYS).files
    assert amazons
    assert (amazons.endpoint, amazons.region, amazons.takes_new, amazons.shown) == (
        "",
        "us-east-1",
        False,
        "s3://files",
    )


def test_the_keys_may_be_files(tmp_path: Path) -> None:
    for name, key in KEYS.items():
        (tmp_path / name).write_text(f"{key}\n")
    given = {f"{name}_FILE": str(tmp_path / name) for name in KEYS}
    place = read(tmp_path, FILES_URL=f"s3://files?{ENDPOINT}", **given).files
    assert place
    assert (place.access_key, place.secret_key) == ("them", "geheim-geheim")


def test_a_folder_is_there_already(tmp_path: Path) -> None:
    place = read(tmp_path, FILES_URL=tmp_path.as_uri()).files
    assert place == FilesPlace(folder=tmp_path.resolve())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://s3.example.org/files", "must begin with one of: s3:// file:///"),
        ("file://files", "must begin with"),
        ("file:///no/such/folder", "names no folder"),
        ("s3:///prefix", "is written like"),
        ("s3://geheim@files", "is written like"),
        ("s3://files?region=x&bucket=y", "does not know: bucket"),
        ("s3://files?new=store", "new=database is the only word"),
        ("s3://files?endpoint=s3.example.org", "endpoint is an address"),
        ("s3://files?endpoint=ftp://s3.example.org", "endpoint is an address"),
        ("s3://files?endpoint=https://them:geheim@s3.example.org", "has no keys in it"),
        ("s3://files?endpoint=https://s3.example.org:geheim", "is no address"),
        ("s3://files?endpoint=https://[geheim", "is no address"),
        ("s3://[geheim", "is no address"),
        ("s3://files/of//chat", "names between its slashes"),
        ("s3://files/../chat", "names between its slashes"),
        ("s3://files?endpoint=http://127.0.0.1:9000", "unless ALLOW_INSECURE_UPSTREAMS is 1"),
    ],
)
def test_what_leads_nowhere_stops_the_start(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, FILES_URL=url, **KEYS)
    assert said in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_plain_http_is_allowed_as_elsewhere(tmp_path: Path) -> None:
    url = "s3://files?endpoint=http://127.0.0.1:9000"
    place = read(tmp_path, FILES_URL=url, ALLOW_INSECURE_UPSTREAMS="1", **KEYS).files
    assert place
    assert place.endpoint == "http://127.0.0.1:9000"


@pytest.mark.parametrize("missing", KEYS)
def test_a_bucket_without_its_keys_stops_the_start(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ConfigError, match="needs FILES_ACCESS_KEY and FILES_SECRET_KEY"):
        read(tmp_path, FILES_URL=f"s3://files?{ENDPOINT}", **(KEYS | {missing: ""}))


def test_the_package_for_it_is_loaded_by_those_who_set_it_alone(tmp_path: Path) -> None:
    """As after a plain installation: a process in which the package cannot be found."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['obstore'] = None\n")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "INSTANCE_DIR": str(tmp_path / "instance")}
    environ |= {settings_file.SKIP: "1", **KEYS}
    command = [sys.executable, "-c", "import wsgi"]
    for url, status in ((f"s3://files?{ENDPOINT}", 3), (tmp_path.as_uri(), 0)):
        given = environ | {"FILES_URL": url}
        done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
    missing = subprocess.run(
        command, cwd=ROOT, env=environ | {"FILES_URL": "s3://files"}, capture_output=True, text=True, check=False
    )
    words = (
        "A setting is wrong: FILES_URL needs packages that are not installed: run `python3 scripts/environment.py s3`"
    )
    assert missing.stderr.startswith(words)


def test_a_start_installs_it_where_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not settings.stores_in_buckets()
    (tmp_path / "url").write_text("s3://files\n")
    monkeypatch.setenv("FILES_URL_FILE", str(tmp_path / "url"))
    assert settings.stores_in_buckets()
    monkeypatch.setenv("FILES_URL_FILE", str(tmp_path / "none"))
    assert not settings.stores_in_buckets()
    monkeypatch.delenv("FILES_URL_FILE")
    for url, expected in (("s3://files", True), ("file:///srv/files", False)):
        monkeypatch.setenv("FILES_URL", url)
        assert settings.stores_in_buckets() is expected
