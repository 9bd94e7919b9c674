"""Where contents of files go (FILES_URL): a bucket of S3-compatible storage, or a folder. Without it, the database.

``s3://BUCKET/PREFIX?endpoint=https://…&region=…`` or ``file:///FOLDER``. With ``new=database`` new ones go into the
database again, and what is there is still read.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from urllib.request import url2pathname

from flask_app import places
from flask_app.errors import ConfigError
from flask_app.settings_reader import Reader, missing_packages

KINDS = ("s3://", "file:///")
USUAL_REGION = "us-east-1"
_KNOWN = {"s3": {"endpoint", "region", "new"}, "file": {"new"}}


@dataclass(frozen=True, kw_only=True)
class FilesPlace:
    """A `folder`, or a `bucket` with what leads to it. `takes_new`: do new contents go there?"""

    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = USUAL_REGION
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    takes_new: bool = True

    @property
    def shown(self) -> str:
        """Without its keys."""
        return str(self.folder) if self.folder else f"s3://{'/'.join(filter(None, (self.bucket, self.prefix)))}"


def read_from(read: Reader) -> FilesPlace | None:
    """Raises ConfigError."""
    try:
        return _read_from(read)
    except ValueError:  # whose words may hold a key
        raise ConfigError("FILES_URL is no address, or has a port that is no number") from None


def _read_from(read: Reader) -> FilesPlace | None:
    url, access_key, secret_key = (
        read.address("FILES_URL", KINDS),
        read.secret("FILES_ACCESS_KEY"),
        read.secret("FILES_SECRET_KEY"),
    )
    if url is None:
        return None
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if strange := options.keys() - _KNOWN[parts.scheme]:
        raise ConfigError(f"FILES_URL has what {parts.scheme} does not know: {min(strange)}")
    if options.get("new", "database") != "database":
        raise ConfigError("FILES_URL: new=database is the only word behind new=")
    takes_new = "new" not in options
    if parts.scheme == "file":
        return FilesPlace(folder=_folder(parts.path), takes_new=takes_new)
    if not (access_key and secret_key):
        raise ConfigError("FILES_URL of s3 needs FILES_ACCESS_KEY and FILES_SECRET_KEY")
    if not parts.hostname or "@" in parts.netloc:
        raise ConfigError("FILES_URL is written like s3://bucket/prefix?endpoint=https://…, and has no keys in it")
    if find_spec("obstore") is None:
        raise missing_packages("FILES_URL", "s3")
    return FilesPlace(
        bucket=parts.netloc,
        prefix=_prefix(parts.path),
        endpoint=_endpoint(options.get("endpoint", ""), is_plain_allowed=read.flag("ALLOW_INSECURE_UPSTREAMS")),
        region=options.get("region") or USUAL_REGION,
        access_key=access_key,
        secret_key=secret_key,
        takes_new=takes_new,
    )


def _folder(path: str) -> Path:
    folder = Path(url2pathname(path))
    if not folder.is_dir():
        raise ConfigError(f"FILES_URL names no folder: {folder}")
    if complaint := places.folder_complaint(folder):
        raise ConfigError(f"FILES_URL: {complaint}")
    return folder.resolve()


def _prefix(path: str) -> str:
    prefix = path.strip("/")
    if prefix and {"", ".", ".."} & {*prefix.split("/")}:
        raise ConfigError("FILES_URL: the prefix behind the bucket has names between its slashes, and no dots alone")
    return prefix


def _endpoint(address: str, *, is_plain_allowed: bool) -> str:
    """Empty for Amazon's own, by the region."""
    if not address:
        return ""
    parts = urlsplit(address)
    is_address = parts.scheme in {"https", "http"} and parts.hostname and parts.port != 0
    if not is_address or parts.query or "@" in parts.netloc:
        raise ConfigError("FILES_URL: endpoint is an address such as https://s3.example.org, and has no keys in it")
    if parts.scheme == "http" and not is_plain_allowed:
        raise ConfigError("FILES_URL: endpoint must begin with https:// unless ALLOW_INSECURE_UPSTREAMS is 1")
    return address.rstrip("/")
