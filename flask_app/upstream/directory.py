"""Conversations with a directory (LDAP, RFC 4511): TLS, simple binds and searches, each within a time.

sansldap turns messages into bytes and back, and is loaded with the first conversation. The connection is ours: it goes
where the host's name led when it was looked up, and nothing in a reply leads it elsewhere. Referrals are not followed.
"""

import contextlib
import secrets
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from flask_app import config
from flask_app.errors import Invalid, UpstreamError
from flask_app.upstream import addresses, deadlines
from flask_app.upstream.addresses import Place
from flask_app.upstream.connection import below_tls
from flask_app.upstream.deadlines import Limits

if TYPE_CHECKING:
    from sansldap import LDAPClient, LDAPFilter, LDAPMessage, LDAPResult, SearchResultEntry

WHOLE_SECONDS = 10  # of a conversation, from the look-up of the host on
READ_BYTES = 1 << 16
MAX_REPLY_BYTES = 1 << 20

_START_TLS = "1.3.6.1.4.1.1466.20037"
_PORTS = {"ldaps": 636, "ldap": 389}
# What a bind is answered with where the name or the password is not right, or the account is locked there: RFC 4511,
# appendix A. Anything else is not about them.
_NO = frozenset({19, 32, 34, 48, 49, 50, 53})
_SIZE_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One of a directory's. `attributes` by their names in small letters."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]]

    def texts(self, name: str) -> list[str]:
        """The values that are words; directories keep pictures in attributes too."""
        found = []
        for value in self.attributes.get(name.lower(), ()):
            with contextlib.suppress(UnicodeDecodeError):
                found.append(value.decode().strip())
        return found

    def text(self, name: str) -> str:
        """The first of them, or nothing."""
        return next(iter(self.texts(name)), "")

    def identifier(self, name: str) -> str | None:
        """The only value, as one word that can be compared; Active Directory's are bytes."""
        values = self.attributes.get(name.lower(), ())
        if len(values) != 1 or not values[0]:
            return None
        shown = values[0].hex() if name == "objectGUID" else self.text(name).casefold()
        return f"{name}:{shown}" if shown else None


def normalise(address: str, *, plain: bool) -> str:
    """The address in the one way it is stored; raises Invalid. Only ldap:// can be `plain`."""
    try:
        found = addresses.normalise_directory(address)
    except Invalid as error:
        raise Invalid("address_not_ldap") from error
    if plain and not found.startswith("ldap:"):
        raise Invalid("directory_plain_address")
    return found


def nobody(base_dn: str) -> str:
    """The name of an entry that is not there."""
    return f"cn={secrets.token_hex(8)},{base_dn}"


def trusting(certificates: str | None) -> ssl.SSLContext:
    """TLS that checks the server's name and certificate, against these authorities (PEM) or the system's.

    Raises ssl.SSLError or ValueError for what are no certificates.
    """
    context = ssl.create_default_context(cadata=certificates or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def converse(address: str, *, plain: bool, certificates: str | None) -> "Conversation":
    """Connected, and within TLS unless `plain`, where the site allows that; nobody is bound. Raises UpstreamError."""
    if plain and not config.current().allow_insecure_upstreams:
        raise UpstreamError("directory_plain")
    conversation = Conversation(urlsplit(address))
    try:
        conversation.open(trusting(certificates) if not plain else None)
    except BaseException:
        conversation.close()
        raise
    return conversation


class Conversation:
    """One request at a time. Every method raises UpstreamError, whose `detail` is for administrators only."""

    def __init__(self, address: SplitResult) -> None:
        self.said = ""  # what the directory had to say of the last request
        self.bytes_received = 0
        self.begun = False
        self._host, self._scheme = address.hostname or "", address.scheme
        self._port = address.port or _PORTS[address.scheme]
        self._socket: socket.socket | None = None
        self._client: LDAPClient | None = None
        self._woken = threading.Event()
        self._expired = False
        deadlines.watch(self, Limits(first_token=WHOLE_SECONDS, idle=WHOLE_SECONDS, total=WHOLE_SECONDS))

    def open(self, context: ssl.SSLContext | None) -> None:
        """Connect, with TLS where there is a context: from the start, or by StartTLS (RFC 4511, 4.14)."""
        from sansldap import LDAPClient

        with self._failing():
            self._socket = self._connected()
            self._client = LDAPClient()
            if context is None:
                return
            if self._scheme == "ldap":
                self._client.extended_request(_START_TLS)
                self._require_success(self._answers()[-1])
                self._client = LDAPClient()  # whatever was said before TLS counts no more
            self._socket = context.wrap_socket(self._socket, server_hostname=self._host, do_handshake_on_connect=False)
            self._socket.do_handshake()

    def takes(self, dn: str, password: str) -> bool:
        """Is it the password of that entry? An empty one never is, and is not sent (RFC 4513, 5.1.2)."""
        if not dn or not password:
            return False
        with self._failing():
            self._asking().bind_simple(dn, password)
            result = _result(self._answers()[-1])
            self.said = result.diagnostics_message
            if result.result_code.value in _NO:
                return False
            _require(result)
            return True

    def search(self, base: str, wanted: "LDAPFilter", attributes: Sequence[str], *, most: int) -> list[Entry]:
        """Entries below `base`, so many at most."""
        from sansldap import SearchResultEntry

        with self._failing():
            self._asking().search_request(
                base, size_limit=most, time_limit=WHOLE_SECONDS, filter=wanted, attributes=list(attributes)
            )
            *found, done = self._answers()
            entries = [_entry(each) for each in found if isinstance(each, SearchResultEntry)]
            result = _result(done)
            self.said = result.diagnostics_message
            if not (result.result_code.value == _SIZE_LIMIT and len(entries) >= most):
                _require(result)
            return entries[:most]

    def expire(self) -> None:
        """End it, from another thread."""
        self._expired = True
        self._woken.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                below_tls(self._socket).shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        deadlines.forget(self)
        if self._socket is not None:
            self._socket.close()

    def _connected(self) -> socket.socket:
        seconds = config.current().upstream_connect_seconds
        failure: OSError = OSError(f"{self._host} has no address")
        for family, place in self._places(seconds):
            made = self._socket = socket.socket(family, socket.SOCK_STREAM)
            try:
                made.settimeout(seconds)
                made.connect(place)
                made.settimeout(WHOLE_SECONDS)
            except OSError as error:
                failure = error
                made.close()
            else:
                return made
        raise failure

    def _places(self, seconds: float) -> list[Place]:
        found = addresses.resolve(self._host, self._port, allow_insecure=True, seconds=seconds, woken=self._woken)
        if not all(addresses.is_one_host(ip_address(place[0])) for _, place in found):
            raise UpstreamError("upstream_address_private")
        return found

    def _answers(self) -> list["LDAPMessage"]:
        """Send what is asked and read until the message that ends it, which is the last."""
        from sansldap import SearchResultEntry, SearchResultReference

        client, opened = self._asking(), self._opened()
        messages: list[LDAPMessage] = []
        opened.sendall(client.data_to_send())
        while not messages or isinstance(messages[-1], SearchResultEntry | SearchResultReference):
            data = opened.recv(READ_BYTES)
            self.bytes_received += len(data)
            if not data:
                raise ConnectionAbortedError("the directory hung up")
            if self.bytes_received > MAX_REPLY_BYTES:
                raise UpstreamError("upstream_garbage", detail="a reply without end")
            messages += client.receive(data)
        return messages

    def _asking(self) -> "LDAPClient":
        if self._client is None:
            raise UpstreamError("upstream_unreachable", detail="not connected")
        return self._client

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise UpstreamError("upstream_unreachable", detail="not connected")
        return self._socket

    def _require_success(self, message: "LDAPMessage") -> None:
        result = _result(message)
        self.said = result.diagnostics_message
        _require(result)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """What goes wrong below is told as what it means."""
        from sansldap import LDAPError

        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise UpstreamError("directory_certificate", detail=error.verify_message) from error
        except LDAPError as error:
            raise UpstreamError("upstream_garbage", detail=str(error)) from error
        except OSError as error:
            late = self._expired or isinstance(error, TimeoutError)
            raise UpstreamError("upstream_timeout" if late else "upstream_unreachable", detail=str(error)) from error


def _entry(message: "SearchResultEntry") -> Entry:
    named = {each.name.partition(";")[0].lower(): each.values for each in message.attributes}
    return Entry(message.object_name, named)


def _result(message: "LDAPMessage") -> "LDAPResult":
    from sansldap import BindResponse, ExtendedResponse, SearchResultDone

    if not isinstance(message, BindResponse | ExtendedResponse | SearchResultDone):
        raise UpstreamError("upstream_garbage", detail=type(message).__name__)
    return message.result


def _require(result: "LDAPResult") -> None:
    if result.result_code.value != 0:
        words = f"{result.result_code.name} {result.diagnostics_message}".strip()
        raise UpstreamError("directory_refused", detail=words)
