"""A real OpenLDAP server on loopback, with a certificate of its own, and people whom it knows."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_app.services.audit.audit_service import Actor
from flask_app.services.people.registration_settings import OPEN
from flask_app.services.sign_in import directories
from flask_app.services.sign_in.directories import Listed, Wanted
from flask_app.services.sign_in.directory_terms import DirectoryTerms
from tests.support import certificates
from tests.support.ports import free_port, is_open

START_SECONDS = 20
SUFFIX = "dc=school,dc=example"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
READER, READER_PASSWORD = f"cn=reader,{SUFFIX}", "the reader's own word"
MANAGER, MANAGER_PASSWORD = f"cn=manager,{SUFFIX}", "manager of the tests"
ALICE_PASSWORD = "Alice's word in the directory"
PUPILS = f"cn=pupils,{GROUPS}"
HOUSE, SLUG = Actor(None), "campus"

# Nobody reads anything who has not bound as the reader; passwords are for binding alone. It takes a bind with a name
# and no password for one by nobody, and says yes: the trap that applications fall into.
SETTINGS = """
allow bind_anon_cred bind_anon_dn
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/certificate.pem
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{suffix}"
rootdn "{manager}"
rootpw "{password}"
directory {folder}/data
index uid eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
overlay memberof
overlay ppolicy
ppolicy_default "cn=policy,{suffix}"
"""
ENTRIES = """
dn: {suffix}
objectClass: dcObject
objectClass: organization
o: School

dn: {people}
objectClass: organizationalUnit

dn: {groups}
objectClass: organizationalUnit

dn: {reader}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {reader_password}

dn: cn=policy,{suffix}
objectClass: device
objectClass: pwdPolicy
pwdAttribute: userPassword
pwdLockout: TRUE

dn: uid=alice,{people}
objectClass: inetOrgPerson
sn: Liddell
cn: Alice Liddell
mail: alice@school.example
userPassword: {alice_password}

dn: {pupils}
objectClass: groupOfNames
member: uid=alice,{people}

dn: ou=elsewhere,{suffix}
objectClass: referral
objectClass: extensibleObject
ref: ldap://127.0.0.1:9/ou=elsewhere,{suffix}
"""


@dataclass
class RealDirectory:
    """`address` is that of ldaps://, `plain_address` of ldap:// on another port; `certificate` is its own authority."""

    folder: Path
    port: int
    plain_port: int
    certificate: str

    @property
    def address(self) -> str:
        return f"ldaps://localhost:{self.port}"

    @property
    def plain_address(self) -> str:
        return f"ldap://localhost:{self.plain_port}"

    def change(self, ldif: str) -> None:
        """By its manager, past all that others may not."""
        command = [_program("ldapmodify"), "-x", "-M", "-e", "relax", "-H", f"ldap://127.0.0.1:{self.plain_port}"]
        command += ["-D", MANAGER, "-w", MANAGER_PASSWORD]
        done = subprocess.run(command, input=ldif, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def know(self, uid: str, password: str, *, ou: str = PEOPLE, **attributes: str) -> str:
        """Somebody more; gives where they are."""
        dn = f"uid={uid},{ou}"
        lines = [f"dn: {dn}", "changetype: add", "objectClass: inetOrgPerson", f"uid: {uid}", "sn: x", "cn: x"]
        lines += [f"userPassword: {password}", *(f"{name}: {value}" for name, value in attributes.items())]
        self.change("\n".join(lines) + "\n")
        return dn

    def forget(self, dn: str) -> None:
        self.change(f"dn: {dn}\nchangetype: delete\n")

    def join(self, dn: str, group: str) -> None:
        self.change(f"dn: {group}\nchangetype: modify\nadd: member\nmember: {dn}\n")

    def lock(self, dn: str) -> None:
        """As its administrators do."""
        self.change(f"dn: {dn}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")

    def connections(self) -> int:
        """How many it has had so far."""
        return self._logged("ACCEPT from")

    def binds(self) -> int:
        """How many it was asked for, by whomever."""
        return self._logged(" BIND dn=")

    def searches(self) -> int:
        """How many it has answered so far."""
        return self._logged(" SRCH base=")

    def _logged(self, words: str) -> int:
        return (self.folder / "log").read_text(errors="replace").count(words)

    def terms(self, **others: Any) -> DirectoryTerms:
        """How it is asked as it should be."""
        usual = {"address": self.address, "base_dn": PEOPLE, "bind_dn": READER, "certificates": self.certificate}
        return DirectoryTerms(**(usual | {"newcomers": OPEN} | others))


def provide(known: RealDirectory, *, secret: str | None = READER_PASSWORD, slug: str = SLUG, **others: Any) -> Listed:
    """A directory that lets newcomers in, unless told otherwise."""
    wanted = Wanted(name="The Campus", terms=known.terms(**others), secret=secret)
    return directories.add(HOUSE, slug, wanted)


def change(listed: Listed, *, disabled: bool = False, **others: Any) -> None:
    own = {name: getattr(listed.terms, name) for name in DirectoryTerms.__struct_fields__}
    wanted = Wanted(name=listed.provider.name, terms=DirectoryTerms(**(own | others)), disabled=disabled)
    directories.change(HOUSE, listed.provider.id, wanted)


def unreachable() -> Listed:
    """One that is asked nothing: nobody is there."""
    return provide_at("ldaps://127.0.0.1:9")


def provide_at(address: str, slug: str = "nowhere") -> Listed:
    """One that may be anything."""
    terms = DirectoryTerms(address=address, base_dn=PEOPLE, bind_dn=READER)
    return directories.add(HOUSE, slug, Wanted(name="Nowhere", terms=terms, secret=READER_PASSWORD))


@contextmanager
def running() -> Iterator[RealDirectory]:
    """An OpenLDAP server while the block runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        certificate, key = certificates.pems("localhost")
        (folder / "certificate.pem").write_bytes(certificate)
        (folder / "key.pem").write_bytes(key)
        here = {"folder": folder, "suffix": SUFFIX, "people": PEOPLE, "groups": GROUPS, "pupils": PUPILS}
        here |= {"manager": MANAGER, "password": MANAGER_PASSWORD, "reader": READER}
        here |= {"reader_password": READER_PASSWORD, "alice_password": ALICE_PASSWORD}
        settings = folder / "slapd.conf"
        settings.write_text(SETTINGS.format(**here))
        added = [_program("slapadd"), "-q", "-f", str(settings)]
        subprocess.run(added, input=ENTRIES.format(**here), text=True, check=True, capture_output=True)
        known = RealDirectory(folder, free_port(), free_port(), certificate.decode())
        with _serving(known, settings):
            yield known


@contextmanager
def _serving(known: RealDirectory, settings: Path) -> Iterator[None]:
    listens = f"ldaps://127.0.0.1:{known.port} ldap://127.0.0.1:{known.plain_port}"
    command = [_program("slapd"), "-f", str(settings), "-h", listens, "-d", "stats"]
    with (known.folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while not (is_open(known.port) and is_open(known.plain_port)):
                assert process.poll() is None, "slapd ended at once"
                assert time.monotonic() < until, "slapd does not start"
                time.sleep(0.02)
            yield
        finally:
            process.kill()


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert found, f"{name} is not installed: `make services` installs what the tests need"
    return found
