"""Where the certificate comes from: self-signed at first, one that is given, or by ACME."""

import json
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.compose.conftest import Stack
from tests.compose.measured import BYTES
from tests.compose.site import HOST
from tests.support import certificates
from tests.support.brokers import wait_until

DIRECTORY = "https://pebble:14000/dir"
PEBBLE = {
    "listenAddress": "0.0.0.0:14000",
    "managementListenAddress": "0.0.0.0:15000",
    "certificate": "/pebble/chain.pem",
    "privateKey": "/pebble/key.pem",
    "httpPort": 80,
    "tlsPort": 443,
}
CLONER = 1000  # somebody who is not root
DAC_OVERRIDE = f"{1 << 1:016x}"  # the only right over files of others


@pytest.fixture(autouse=True)
def first(stack: Stack, tmp_path: Path) -> Iterator[None]:
    """The certificate of the installation, which is given back to the site afterwards."""
    files = [stack.site.folder / "ssl" / name for name in ("fullchain.pem", "privkey.pem")]
    kept = [tmp_path / file.name for file in files]
    for file, copy in zip(files, kept, strict=True):
        copy.write_bytes(file.read_bytes())
    yield
    stack.site.install("--domain", HOST, "--certificate", str(kept[0]), "--key", str(kept[1]))
    wait_until_shown(stack, kept[0])


def shown(stack: Stack) -> x509.Certificate:
    """What browsers get."""
    pem = ssl.get_server_certificate(("127.0.0.1", stack.site.ports["https"]))
    return x509.load_pem_x509_certificate(pem.encode())


def wait_until_shown(stack: Stack, file: Path) -> None:
    """A reload takes a moment."""
    wait_until(lambda: shown(stack) == read(file))


def read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def stored(stack: Stack) -> x509.Certificate:
    return read(stack.site.folder / "ssl/fullchain.pem")


def given(folder: Path, host: str) -> tuple[str, str]:
    chain, key = certificates.pems(host)
    (folder / "given.pem").write_bytes(chain)
    (folder / "given.key").write_bytes(key)
    return str(folder / "given.pem"), str(folder / "given.key")


def test_a_certificate_that_is_given_is_shown_at_once(stack: Stack, tmp_path: Path) -> None:
    chain, key = given(tmp_path, HOST)
    stack.site.install("--certificate", chain, "--key", key)
    wait_until_shown(stack, Path(chain))


def test_a_certificate_for_another_name_or_key_is_refused(stack: Stack, tmp_path: Path) -> None:
    before = stored(stack)
    chain, key = given(tmp_path, "another.example.org")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        stack.site.install("--certificate", chain, "--key", key)
    assert f"is not for {HOST}" in refused.value.__notes__[0]
    chain, _ = given(tmp_path, HOST)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        stack.site.install("--certificate", chain, "--key", str(stack.site.folder / "ssl/privkey.pem"))
    assert "is not the key of" in refused.value.__notes__[0]
    assert stored(stack) == before


@pytest.fixture
def authority(stack: Stack) -> Iterator[None]:
    folder = stack.site.folder / "pebble"
    folder.mkdir()
    chain, key = certificates.pems("pebble")
    for name, content in (("chain.pem", chain), ("key.pem", key)):
        (folder / name).write_bytes(content)
    (folder / "config.json").write_text(json.dumps({"pebble": PEBBLE}))
    stack.site.compose("--profile", "authority", "up", "-d", "pebble")
    yield
    stack.site.compose("--profile", "authority", "--profile", "acme", "rm", "--stop", "--force", "pebble", "certbot")
    stack.site.forget("COMPOSE_PROFILES")


@pytest.mark.usefixtures("authority")
def test_a_certificate_comes_by_acme_and_is_renewed(stack: Stack) -> None:
    ssl_folder = stack.site.folder / "ssl"
    for place in (ssl_folder, *ssl_folder.iterdir()):
        os.chown(place, CLONER, CLONER)
    stack.site.install("--domain", "chat.test", "--acme-server", DIRECTORY)
    first = stored(stack)
    assert "Pebble" in first.issuer.rfc4514_string()
    wait_until(lambda: shown(stack) == first)
    assert len(stack.site.containers("certbot")) == 1
    stack.site.inside("certbot", "certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew")
    assert stored(stack) != first
    (container,) = stack.site.inspect("certbot")
    assert not container["State"]["OOMKilled"]
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    status = stack.site.inside("certbot", "cat", "/proc/1/status")
    assert set(re.findall(r"^Cap(?:Prm|Eff|Bnd):\s+(\S+)", status, re.M)) == {DAC_OVERRIDE}
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    (BYTES["certbot at most"],) = stack.site.peaks("certbot")
    stack.site.inside("nginx", "nginx", "-s", "reload")
    wait_until(lambda: shown(stack) == stored(stack))
