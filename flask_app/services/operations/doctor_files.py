"""Where contents of files go: does the store answer, and does it hold what the rows say?"""

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from flask_app import config
from flask_app.errors import Unavailable
from flask_app.services.files import object_store, store_check
from flask_app.services.files.stores import Away
from flask_app.services.operations.finding import BAD, GOOD, WARNING, Finding, counted

_NO_KEY = "doctor"  # no object is called so


def store() -> Iterator[Finding]:
    """Nothing is said where all contents are in the database, as without FILES_URL."""
    place = config.current().files
    try:
        _, in_store = store_check.counted()
    except DBAPIError:  # told already
        return
    if place is None:
        if in_store:
            what = f"files: {counted(in_store, 'content')} in a store, and FILES_URL is not set"
            yield Finding(
                BAD, what, "Set FILES_URL as it was; to be without it, first move what it holds: docs/operations.md."
            )
        return
    try:
        object_store.store().part(_NO_KEY, 0, 1)
        found = store_check.look()
    except (Away, Unavailable) as error:
        advice = "See that it runs, and that FILES_URL and its keys are right: new files and pictures are refused."
        yield Finding(BAD, f"files: {place.shown} does not do what it is asked: {error.__cause__ or error}", advice)
        return
    if found.missing:
        what = f"files: {len(found.missing):,} of {counted(in_store, 'content')} not in {place.shown}"
        yield Finding(BAD, what, "Bring its objects back from its own backup; flask files check names the files.")
    else:
        yield Finding(GOOD, f"files: {counted(in_store, 'content')} in {place.shown}")
    if found.left:
        what = f"files: {counted(len(found.left), 'object')} in {place.shown}, of no file"
        yield Finding(WARNING, what, "After a restore that is usual: flask files check --remove-left takes it away.")
