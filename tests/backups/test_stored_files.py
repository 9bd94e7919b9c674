"""Of a site whose contents of files are in a store: a backup has the rows and says what it lacks; a restore looks."""

import dataclasses
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config
from flask_app.config import Config
from flask_app.database import reading
from flask_app.files_setting import FilesPlace
from flask_app.models import KeptFile
from flask_app.services.files import contents, moving, object_store
from tests.backups.machines import run, use
from tests.support import databases, stores


@pytest.fixture
def store(site: Flask, tmp_path: Path) -> FilesPlace:
    """With the one file of the site."""
    place = FilesPlace(folder=tmp_path / "store")
    (tmp_path / "store").mkdir()
    with reading() as session:
        length = len(contents.whole(session.scalars(select(KeptFile.id)).one(), None, 1))
    stores.changed(bytes=length)
    stores.use(place)
    assert moving.move(stores.NOBODY).count == 1
    return place


def test_a_backup_says_what_it_lacks_and_a_restore_finds_it(
    site: Flask, store: FilesPlace, elsewhere: str, base_config: Config, tmp_path: Path
) -> None:
    backup = tmp_path / "site.tar.gz"
    use(base_config.database_url, base_config.instance_dir)
    made = run(site, "backup", backup)
    assert made.exit_code == 0
    assert f"1 contents of files are not in it, but in {store.folder}: that needs a backup of its own." in made.output
    here = dataclasses.replace(config.current(), database_url=elsewhere, instance_dir=tmp_path / "instance")
    config.install(here)
    done = run(site, "restore", backup)
    assert done.exit_code == 0, done.output
    assert f"1 contents of files were not in it, but in a store. All are in {store.folder}." in done.output
    with reading() as session:
        file = session.scalars(select(KeptFile)).one()
    assert file.object_key
    assert len(contents.whole(file.id, file.object_key, file.bytes)) == file.bytes
    assert databases.rows_of(elsewhere)["file_pieces"] == []

    object_store.store().remove(file.object_key)
    again = run(site, "restore", "--replace", backup)
    assert f"1 are not in {store.folder}: flask files check names them." in again.output
    config.install(dataclasses.replace(config.current(), files=None))
    blind = run(site, "restore", "--replace", backup)
    assert "It cannot be looked at: set FILES_URL as it was, then run flask files check." in blind.output
