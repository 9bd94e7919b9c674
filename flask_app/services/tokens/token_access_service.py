"""How often a token may ask, how much at once, from where, and what becomes of an answer whose program leaves.

It is set for the token alone, beside what holds for its person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec
from sqlalchemy.orm import Session

from flask_app.database import in_transaction
from flask_app.domain import networks
from flask_app.domain.networks import Network
from flask_app.errors import Invalid
from flask_app.models import AccessToken
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import rates
from flask_app.services.tokens import own_tokens

MOST_NETWORKS, MAX_LENGTH = 20, 64
MAX_RATE = rates.MAX_AMOUNT
MAX_PARALLEL = 1000
STOP, CONTINUE = "stop", "continue"


@dataclass(frozen=True, slots=True)
class Access:
    """At most `requests_per_minute` answers may be begun in a minute, and `parallel_requests` be in the making at once;
    None is as many as the person may have.

    `networks` are the only ones it may be used from, each as `domain.networks` writes it; none is from everywhere.
    `on_disconnect`: when its program leaves an answer ends there (STOP), or is made to its end (CONTINUE).
    """

    requests_per_minute: int | None = None
    networks: Sequence[str] = ()
    parallel_requests: int | None = None
    on_disconnect: str = STOP


ANYHOW = Access()


def put(actor: Actor, token_id: str, wanted: Access, *, unsaid: Iterable[str] = ()) -> Access:
    """Have this hold of one's token from the next request on, in the place of what held before.

    The fields that are `unsaid` stay as they were.

    Raises Invalid as `checked` does, and NotFound for a foreign token too.
    """
    typed = checked(wanted)

    def work(session: Session) -> Access:
        token = own_tokens.hold(session, actor, token_id)
        before = of(token)
        after = replace(typed, **{name: getattr(before, name) for name in unsaid})
        if before != after:
            keep(token, after)
            details = {"name": token.name, "before": told(before), "after": told(after)}
            audit_service.record(session, actor.user, "token.access", token_id, details, actor.address)
        return after

    return in_transaction(work)


def checked(wanted: Access) -> Access:
    """Each network once, in its shortest form, in order.

    Raises Invalid: bad_token_rate, bad_token_parallel, bad_network, too_many_networks.
    """
    if (rate := wanted.requests_per_minute) is not None and not 0 < rate <= MAX_RATE:
        raise Invalid("bad_token_rate", limit=MAX_RATE)
    if (most := wanted.parallel_requests) is not None and not 0 < most <= MAX_PARALLEL:
        raise Invalid("bad_token_parallel", limit=MAX_PARALLEL)
    found = sorted({networks.written(_read(each)) for each in wanted.networks})
    if len(found) > MOST_NETWORKS:
        raise Invalid("too_many_networks", limit=MOST_NETWORKS)
    return replace(wanted, networks=found)


def keep(token: AccessToken, access: Access) -> None:
    """It is `checked`."""
    token.requests_per_minute, token.parallel_requests = access.requests_per_minute, access.parallel_requests
    token.networks = msgspec.json.encode(access.networks).decode() if access.networks else None
    token.on_disconnect = access.on_disconnect


def of(token: AccessToken) -> Access:
    found = networks_of(token.networks)
    return Access(token.requests_per_minute, found, token.parallel_requests, token.on_disconnect)


def networks_of(stored: str | None) -> list[str]:
    return msgspec.json.decode(stored, type=list[str]) if stored else []


def admits(stored: str | None, address: str) -> bool:
    """May a token be used from there? `stored` are its networks, as its row has them."""
    return stored is None or networks.hold(_networks(stored), address)


def told(access: Access) -> dict[str, object]:
    """What the audit log says of it: nothing where nothing is set."""
    bounds = {
        "requests_per_minute": access.requests_per_minute,
        "parallel_requests": access.parallel_requests,
        "networks": list(access.networks),
        "on_disconnect": None if access.on_disconnect == STOP else access.on_disconnect,
    }
    return {name: bound for name, bound in bounds.items() if bound}


def _read(typed: str) -> Network:
    try:
        return networks.read(typed)
    except ValueError as error:
        raise Invalid("bad_network", network=typed[:MAX_LENGTH]) from error


@lru_cache(maxsize=1024)
def _networks(stored: str) -> tuple[Network, ...]:
    return tuple(networks.read(each) for each in networks_of(stored))
