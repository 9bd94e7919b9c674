"""Contents as objects of a bucket: of Amazon's S3, and what speaks as it does. obstore, the client, waits in Rust."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from flask_app.files_setting import FilesPlace
from flask_app.services.files.stores import Away

CONNECT = timedelta(seconds=5)
READ, WRITE = timedelta(seconds=15), timedelta(seconds=120)  # of one request, and of all that try it again
RETRIES = 2
_BEYOND = "<Code>InvalidRange</Code>"
_MOST_SAID = 300  # letters of what a server says of itself


class S3Store:
    """One for the threads of a process: obstore's are made for that."""

    def __init__(self, place: FilesPlace) -> None:
        self._reading, self._writing = _bucket(place, READ), _bucket(place, WRITE)

    def put(self, key: str, content: bytes) -> None:
        """In one request: what breaks off leaves nothing that anybody would have to clean up."""
        with _answered():
            self._writing.put(key, content, use_multipart=False)

    def part(self, key: str, start: int, length: int) -> bytes:
        try:
            with _answered():
                return bytes(self._reading.get_range(key, start=start, length=length))
        except FileNotFoundError:
            return b""

    def remove(self, key: str) -> None:
        try:
            with _answered():
                self._reading.delete(key)
        except FileNotFoundError:
            return

    def listed(self) -> Iterator[list[str]]:
        with _answered():
            for some in self._reading.list():
                yield [each["path"] for each in some]


def _bucket(place: FilesPlace, patience: timedelta) -> Bucket:
    options: dict[str, Any] = {
        "endpoint": place.endpoint or f"https://s3.{place.region}.amazonaws.com",
        "region": place.region,
        "disable_bulk_delete": True,  # not all that speak S3 know it
        # What variables of Amazon's tools (AWS_…) would say else, which may stand there for something other.
        "virtual_hosted_style_request": False,
        "skip_signature": False,
        "request_payer": False,
        "s3_express": False,
    }

    def keys() -> Any:
        """Asked once; as mere options they would go with another's AWS_SESSION_TOKEN."""
        known = {"access_key_id": place.access_key, "secret_access_key": place.secret_key}
        return {**known, "token": None, "expires_at": None}

    return Bucket(
        place.bucket,
        credential_provider=keys,
        prefix=place.prefix or None,
        client_options={
            "allow_http": place.endpoint.startswith("http://"),
            "connect_timeout": CONNECT,
            "timeout": patience,
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": patience},
        **options,
    )


@contextmanager
def _answered() -> Iterator[None]:
    """Raises FileNotFoundError where the bucket is there and the object is not, or ends before what was asked for."""
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise Away(_said(error)) from error
        raise
    except (BaseError, OSError) as error:
        if _BEYOND in str(error):
            raise FileNotFoundError from error
        raise Away(_said(error)) from error


def _said(error: Exception) -> str:
    return " ".join(str(error).partition("Debug source")[0].split())[:_MOST_SAID]
