"""A real object store that speaks S3: OpenStack Swift on loopback, its files in a folder of the test's own.

It checks each request's signature, and keeps what it has been given when it is killed, or halted, and begins again.
"""

import getpass
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

from flask_app.files_setting import FilesPlace
from tests.support.ports import free_port, is_open

if TYPE_CHECKING:
    from obstore.store import S3Store

START_SECONDS = 60
BUCKET, REGION = "attachments", "us-east-1"
ACCESS_KEY, SECRET_KEY = "test:tester", "seven-paper-boats"
KINDS = ("account", "container", "object")

_BEHIND = """[DEFAULT]
{common}
devices = {root}/devices
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
recon_cache_path = {root}
"""
_PROXY = """[DEFAULT]
{common}
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {password} .admin
"""
_CLUSTER = """[swift-hash]
swift_hash_path_prefix = a
swift_hash_path_suffix = b
[storage-policy:0]
name = only
default = yes
"""


class ObjectServer:
    """`start`, and after a `kill` the same again with what it holds, on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {kind: free_port() for kind in ("proxy", *KINDS)}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.endpoint = f"http://127.0.0.1:{self._ports['proxy']}"
        (folder / "devices" / "d").mkdir(parents=True)
        (folder / "swift.conf").write_text(_CLUSTER)
        for kind in KINDS:
            self._configure(kind, _BEHIND)
            self._ring(kind)
        self._configure("proxy", _PROXY)

    def start(self) -> None:
        for kind in self._ports:
            command = [found(f"swift-{kind}-server"), f"{self._folder}/{kind}.conf"]
            with (self._folder / f"{kind}.log").open("ab") as log:
                self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))
        deadline = time.monotonic() + START_SECONDS
        while not all(is_open(port) for port in self._ports.values()):
            assert time.monotonic() < deadline, "the object store does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """As when the machine dies."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def start_again(self) -> None:
        """Unless it runs."""
        if not self._processes:
            self.start()

    def halt(self) -> None:
        """It hangs: connections open, and nothing comes."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def place(self, **others: Any) -> FilesPlace:
        """What FILES_URL comes to."""
        keys: dict[str, Any] = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        return FilesPlace(**{"bucket": BUCKET, "prefix": "files", "endpoint": self.endpoint, **keys, **others})

    def make_bucket(self) -> None:
        """By an address that is signed, as its client has none for that."""
        import obstore  # here and below: an extra, which few tests need

        url = obstore.sign(self.bucket(), "PUT", "", expires_in=timedelta(minutes=1))
        reply = urllib3.request("PUT", url)
        assert reply.status == 200, reply.data

    def bucket(self) -> "S3Store":
        from obstore.store import S3Store

        place = self.place()
        return S3Store(
            place.bucket,
            endpoint=place.endpoint,
            region=place.region,
            access_key_id=place.access_key,
            secret_access_key=place.secret_key,
            client_options={"allow_http": True},
        )

    def held(self) -> dict[str, int]:
        """How long each object is, by its whole name."""
        return {each["path"]: each["size"] for some in self.bucket().list() for each in some}

    def empty(self) -> None:
        import obstore

        for path in self.held():
            obstore.delete(self.bucket(), path)

    def _configure(self, kind: str, words: str) -> None:
        common = f"bind_ip = 127.0.0.1\nbind_port = {self._ports[kind]}\nswift_dir = {self._folder}\nworkers = 0\n"
        common += f"user = {getpass.getuser()}\nlog_address = {self._folder}/nowhere\nlog_level = ERROR"
        made = words.format(
            common=common, root=self._folder, kind=kind, user=ACCESS_KEY.replace(":", "_"), password=SECRET_KEY
        )
        (self._folder / f"{kind}.conf").write_text(made)

    def _ring(self, kind: str) -> None:
        device = f"r1z1-127.0.0.1:{self._ports[kind]}/d"
        for step in (["create", "4", "1", "0"], ["add", device, "1"], ["rebalance"]):
            command = [found("swift-ring-builder"), f"{self._folder}/{kind}.builder", *step]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # 1 is a warning, of one device alone


def found(name: str) -> str:
    program = shutil.which(name)
    assert program, f"{name} is not installed: `make services` installs what the tests need"
    return program


@contextmanager
def server() -> Iterator[ObjectServer]:
    """A running one with an empty bucket, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="objects") as folder:
        running = ObjectServer(Path(folder))
        try:
            running.start()
            running.make_bucket()
            yield running
        finally:
            running.resume()
            running.kill()
