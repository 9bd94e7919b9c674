"""A backup under a passphrase: libsodium's secret stream (XChaCha20-Poly1305) under a key from Argon2id.

Layout: a line that says what it is, the salt (16 bytes), the stream's header (24), then pieces of 64 KiB, each with 17
bytes of its own. The last piece says that it is the last, so a file that was cut does not pass for a whole one.
"""

import io
from typing import BinaryIO

from nacl import bindings, pwhash, utils
from nacl.exceptions import CryptoError

from flask_app.transfer.faults import Damaged, WrongPassphrase

MARK = b"MingChat backup, encrypted, 1\n"
PIECE_BYTES = 1 << 16

_SALT_BYTES = pwhash.argon2id.SALTBYTES
_HEADER_BYTES = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_SEALED_BYTES = PIECE_BYTES + bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL


class Encrypting(io.RawIOBase):
    """Encrypts what is written to it into `out`; complete once it is closed."""

    def __init__(self, out: BinaryIO, passphrase: str) -> None:
        salt = utils.random(_SALT_BYTES)
        self._out, self._left = out, bytearray()
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, _key(passphrase, salt))
        out.write(MARK + salt + header)

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        piece = bytes(content)  # type: ignore[call-overload]
        self._left += piece
        while len(self._left) > PIECE_BYTES:
            self._push(bytes(self._left[:PIECE_BYTES]), _MESSAGE)
            del self._left[:PIECE_BYTES]
        return len(piece)

    def finish(self) -> None:
        self._push(bytes(self._left), _FINAL)

    def _push(self, piece: bytes, tag: int) -> None:
        self._out.write(bindings.crypto_secretstream_xchacha20poly1305_push(self._state, piece, tag=tag))


class Decrypting(io.RawIOBase):
    """Reads what `Encrypting` wrote, after its MARK; raises WrongPassphrase, Damaged."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        head = source.read(_SALT_BYTES + _HEADER_BYTES)
        if len(head) < _SALT_BYTES + _HEADER_BYTES:
            raise Damaged
        self._source, self._ready, self._is_whole, self._is_first = source, b"", False, True
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        key = _key(passphrase, head[:_SALT_BYTES])
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(self._state, head[_SALT_BYTES:], key)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._ready and not self._is_whole:
            self._ready = self._pull()
        taken = self._ready[: len(view)]
        view[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)

    def _pull(self) -> bytes:
        sealed = self._source.read(_SEALED_BYTES)
        try:
            piece, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed)
        except (CryptoError, ValueError) as error:  # the latter: fewer bytes than a piece has of its own
            raise (WrongPassphrase if self._is_first else Damaged) from error
        self._is_first, self._is_whole = False, tag == _FINAL
        if self._is_whole and self._source.read(1):
            raise Damaged
        return bytes(piece)


def _key(passphrase: str, salt: bytes) -> bytes:
    """64 MB and half a second: a container of 320 MB can afford it."""
    size = bindings.crypto_secretstream_xchacha20poly1305_KEYBYTES
    return pwhash.argon2id.kdf(
        size,
        passphrase.encode(),
        salt,
        opslimit=pwhash.argon2id.OPSLIMIT_INTERACTIVE,
        memlimit=pwhash.argon2id.MEMLIMIT_INTERACTIVE,
    )
