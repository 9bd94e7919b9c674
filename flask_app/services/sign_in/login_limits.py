"""How often a password may be guessed, without letting a stranger lock somebody out.

Wrong guesses count against the address (an IPv6 /64 is one address) and against the account. A browser that has
signed in to the account before carries a signed device token and is counted on its own instead, so a flood of
strangers' guesses does not keep the owner out (OWASP: "device cookies").
"""

import ipaddress
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask_app.errors import TooMany, WrongCode
from flask_app.offload import MOST_AT_ONCE
from flask_app.services.secrets.signing import digest, same, sign
from flask_app.services.site.windows import Rate, Windows

MOST_OF_A_DEVICE = 8  # people whom a browser is known to; one more is forgotten there
_NONCE, _SIGNATURE = re.compile(r"[\w-]{16}", re.ASCII), re.compile(r"[0-9a-f]{32}")

_by_address = Windows("address", Rate.parse("20 per 5 minutes"))
_by_account = Windows("account", Rate.parse("10 per 15 minutes"))
_by_device = Windows("device", Rate.parse("10 per 15 minutes"))
_by_passkey = Windows("passkey", Rate.parse("20 per 5 minutes"))
_second_steps = Windows("second step", Rate.parse("30 per day"))  # of a million codes three are right at any time
_codes_by_address = Windows("code", Rate.parse("10 per 15 minutes"))
_invitations_by_address = Windows(
    "invitation", Rate.parse("60 per 15 minutes")
)  # a class mistypes what is on its board
_redemptions_by_address = Windows("redemption", Rate.parse("30 per 15 minutes"))
_redemptions_by_person = Windows("redeemer", Rate.parse("10 per 15 minutes"))
_registrations = Windows("registration", Rate.parse("60 per hour"))  # a class behind one address comes at once
_letters_by_address = Windows("reset letter asked", Rate.parse("30 per hour"))
_letters_by_person = Windows("reset letter", Rate.parse("3 per hour"))
_given_up_by_person = Windows("address given up", Rate.parse("5 per day"))
_address_codes = Windows("address code", Rate.parse("5 per hour"))
_address_guesses = Windows("address guess", Rate.parse("10 per hour"))
_identities = Windows("identity", Rate.parse("300 per 5 minutes"))  # as does an office on a Monday
# Guesses wait here for their turn, and each looks at the count when its turn comes: guesses sent all at once
# cannot pass together before the first has failed.
_turn = threading.BoundedSemaphore(MOST_AT_ONCE)
_asking = threading.BoundedSemaphore(16)  # the same where a directory is waited for: one that hangs keeps few waiting


class Attempt:
    """A guess under way; it counts only when it is said to have failed."""

    def __init__(self, counts: list[tuple[Windows, str]]) -> None:
        self._counts = counts

    def failed(self) -> None:
        for windows, name in self._counts:
            windows.hit(name)

    def check(self) -> None:
        """Raise TooMany while any window is full."""
        if wait := max(windows.wait(name) for windows, name in self._counts):
            raise TooMany("too_many_attempts", retry_after=wait, minutes=-(-wait // 60))


@contextmanager
def password_attempt(account: str, user_id: str | None, address: str, device: str = "") -> Iterator[Attempt]:
    """A guess at the password of `account` (a folded name); raises TooMany instead of letting it begin."""
    with _in_turn(Attempt(_sign_in_counts(account, user_id, address, device))) as attempt:
        yield attempt


@contextmanager
def directory_attempt(account: str, user_id: str | None, address: str, device: str = "") -> Iterator[Attempt]:
    """The same where a directory may be asked: it counts as any guess at the account, whoever knows the password."""
    with _in_turn(Attempt(_sign_in_counts(account, user_id, address, device)), _asking) as attempt:
        yield attempt


@contextmanager
def second_step_attempt(account: str, user_id: str, address: str, device: str = "") -> Iterator[Attempt]:
    """A guess at a code of the second step: it counts as one at the password does, and by the day as well.

    By the day all browsers that are known count together: who signed in by the password alone before may have many.
    """
    counts = _sign_in_counts(account, user_id, address, device)
    counts.append((_second_steps, f"{user_id} known" if is_known_device(device, user_id) else user_id))
    with _in_turn(Attempt(counts)) as attempt:
        yield attempt


@contextmanager
def passkey_attempt(address: str) -> Iterator[Attempt]:
    """A sign-in by a passkey. Nobody guesses one: it counts against the address alone, and locks no account."""
    with _in_turn(Attempt([(_by_passkey, network(address))])) as attempt:
        yield attempt


@contextmanager
def session_attempt(session_id: str, *, asks: bool = False) -> Iterator[Attempt]:
    """A guess at the current password by a browser that is signed in; `asks`: a directory knows it."""
    with _in_turn(Attempt([(_by_device, session_id)]), _asking if asks else _turn) as attempt:
        yield attempt


@contextmanager
def own_second_step_attempt(session_id: str, user_id: str) -> Iterator[Attempt]:
    """A guess at a code of the second step by a browser that is signed in: a session of its own gives no new tries."""
    with _in_turn(Attempt([(_by_device, session_id), (_second_steps, user_id)])) as attempt:
        yield attempt


@contextmanager
def code_attempt(address: str) -> Iterator[Attempt]:
    """A guess at the set-up code or at the token of a link."""
    with _in_turn(Attempt([(_codes_by_address, network(address))])) as attempt:
        yield attempt


@contextmanager
def invitation_attempt(address: str) -> Iterator[Attempt]:
    """A guess at the code of an invitation, which many type at once behind one address."""
    with _in_turn(Attempt([(_invitations_by_address, network(address))])) as attempt:
        yield attempt


@contextmanager
def redemption_attempt(user_id: str, address: str) -> Iterator[Attempt]:
    """A try to redeem a code by somebody who is signed in."""
    counts = [(_redemptions_by_person, user_id), (_redemptions_by_address, network(address))]
    with _in_turn(Attempt(counts)) as attempt:
        yield attempt


@contextmanager
def address_attempt(user_id: str) -> Iterator[Attempt]:
    """A guess at the code that was mailed to one's own address."""
    with _in_turn(Attempt([(_address_guesses, user_id)])) as attempt:
        yield attempt


def count_registration(address: str) -> None:
    """Somebody asks for an account; raises TooMany. It is no guess: whatever becomes of it counts."""
    _count(_registrations, network(address))


def count_identity_sign_in(address: str) -> None:
    """Somebody goes to an identity provider, which leaves a row for ten minutes; raises TooMany."""
    _count(_identities, network(address))


def count_reset_letter_asked(address: str) -> None:
    """Somebody says that they forgot a password, whoever's; raises TooMany."""
    _count(_letters_by_address, network(address))


def may_send_reset_letter(user_id: str) -> bool:
    """Is there room for one more letter to this person? Then it counts. Whoever asked is not told."""
    return _letters_by_person.hit(user_id) == 0


def may_tell_given_up(user_id: str) -> bool:
    """Is there room for one more mail that says so to an address of theirs? Then it counts."""
    return _given_up_by_person.hit(user_id) == 0


def count_address_code(user_id: str) -> None:
    """A code is mailed to an address that somebody gives as theirs; raises TooMany."""
    _count(_address_codes, user_id)


def is_known_device(device: str, user_id: str) -> bool:
    """Has the person signed in before in the browser whose cookie this is?"""
    nonce, signatures = device_parts(device)
    expected = _device_signature(user_id, nonce)
    return bool(nonce) and any(same(signature, expected) for signature in signatures)


def device_with(device: str, user_id: str) -> str:
    """What a browser keeps after `user_id` signed in: it proves nothing but that, for them and a few others before.

    A random name of the browser's own, and a signature for each person, the latest last.
    """
    nonce, signatures = device_parts(device)
    nonce = nonce or secrets.token_urlsafe(12)
    own = _device_signature(user_id, nonce)
    return ".".join([nonce, *[one for one in signatures if one != own][-(MOST_OF_A_DEVICE - 1) :], own])


def device_parts(device: str) -> tuple[str, list[str]]:
    """The browser's own name and the signatures; an empty name for what is no such cookie."""
    nonce, *signatures = device.split(".", MOST_OF_A_DEVICE)
    is_ours = _NONCE.fullmatch(nonce) and all(_SIGNATURE.fullmatch(one) for one in signatures)
    return (nonce, signatures) if is_ours and signatures else ("", [])


def network(address: str) -> str:
    """What a limit counts as one address: an IPv6 subscriber owns a whole /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def forget() -> None:
    """Start counting anew."""
    sign_in = (_by_address, _by_account, _by_device, _by_passkey, _second_steps)
    others = (
        _codes_by_address,
        _invitations_by_address,
        _redemptions_by_address,
        _redemptions_by_person,
        _registrations,
        _identities,
    )
    letters = (_letters_by_address, _letters_by_person, _given_up_by_person, _address_codes, _address_guesses)
    for windows in (*sign_in, *others, *letters):
        windows.clear()


def _count(windows: Windows, name: str) -> None:
    if wait := windows.hit(name):
        raise TooMany("too_many_attempts", retry_after=wait, minutes=-(-wait // 60))


@contextmanager
def _in_turn(attempt: Attempt, turn: threading.BoundedSemaphore = _turn) -> Iterator[Attempt]:
    attempt.check()
    with turn:
        attempt.check()
        try:
            yield attempt
        except WrongCode:
            attempt.failed()
            raise


def _sign_in_counts(account: str, user_id: str | None, address: str, device: str) -> list[tuple[Windows, str]]:
    if user_id and is_known_device(device, user_id):
        return [(_by_device, f"{user_id}:{device_parts(device)[0]}")]
    return [(_by_address, network(address)), (_by_account, digest(account))]


def _device_signature(user_id: str, nonce: str) -> str:
    return sign("device", f"{user_id}:{nonce}").hex()[:32]
