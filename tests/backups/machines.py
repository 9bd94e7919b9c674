"""A machine's settings and its commands, and what is in a backup."""

import dataclasses
import json
import tarfile
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask

from flask_app import config, database

PASSPHRASE = "violet harbour lantern"
WORDS = "你好，𠮷野家 👩‍👩‍👧‍👦 \0\x1b\u2028 naïve"
OWN_KEY = "a key that this other machine has from its environment"
MADE = ("SECRET_KEY", "ENCRYPTION_KEY")


def run(app: Flask, *arguments: str | Path, content: bytes | None = None) -> Result:
    return app.test_cli_runner().invoke(args=[str(each) for each in arguments], input=content)


def use(url: str, instance: Path, **fields: object) -> None:
    changed = {"database_url": url, "instance_dir": instance} | fields
    config.install(dataclasses.replace(config.current(), **changed))  # type: ignore[arg-type]
    database.connect(url)


def member(tar: tarfile.TarFile, name: str) -> Any:
    opened = tar.extractfile(name)
    assert opened
    return json.loads(opened.read())
