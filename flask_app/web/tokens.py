"""Personal access tokens as JSON. A token itself is told once, to who has just made it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from flask_app.database import utc_now
from flask_app.domain.budget import TOKENS
from flask_app.models import AccessToken
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.gateway import word_log
from flask_app.services.tokens import token_access_service, token_budget_service, token_origin_service, token_service
from flask_app.services.tokens.token_access_service import Access
from flask_app.services.tokens.token_admin_service import Listed, Page
from flask_app.services.tokens.token_budget_service import Cap
from flask_app.services.tokens.token_service import Made, Wanted
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.budgets import BudgetReply, budget_reply
from flask_app.web.records import Person


class TokenBudget(Body):
    """`limit` is tokens, or millionths of the currency that `unit` names, in each `period` of the site's time zone,
    or in all ("total"). One that is not `hard` only warns."""

    period: Literal["day", "week", "month", "total"]
    limit: Annotated[int, msgspec.Meta(ge=1, le=budget_admin_service.MAX_LIMIT)]
    unit: Annotated[str, msgspec.Meta(max_length=8)] = TOKENS
    hard: bool = True

    def cap(self) -> Cap:
        return Cap(unit=self.unit, period=self.period, limit=self.limit, hard=self.hard)


Origins = Annotated[list[Words], msgspec.Meta(max_length=4 * token_origin_service.MOST)]


class TokenOrigins(Body):
    """The websites whose pages may ask with the token, such as `https://app.example.org`; none: no page may."""

    origins: Origins


class TokenOriginsReply(Reply):
    """As browsers send them."""

    origins: list[str]


ParallelRequests = Annotated[int, msgspec.Meta(ge=1, le=token_access_service.MAX_PARALLEL)]
RequestsPerMinute = Annotated[int, msgspec.Meta(ge=1, le=token_access_service.MAX_RATE)]
OnDisconnect = Literal["stop", "continue"]
Networks = Annotated[list[Words], msgspec.Meta(max_length=4 * token_access_service.MOST_NETWORKS)]


class TokenAccess(Body):
    """At most `requests_per_minute` answers are begun in a minute, and `parallel_requests` are in the making at once;
    null: as many as the person may have.

    `networks` are the only addresses or networks that it may be used from, such as `203.0.113.7` or `2001:db8::/32`;
    none: from everywhere. `on_disconnect` is what becomes of an answer whose program leaves: it stops, or it is made
    to its end, and is billed whole. Of `parallel_requests` and `on_disconnect` what is not sent stays as it was.
    """

    requests_per_minute: RequestsPerMinute | None
    networks: Networks
    parallel_requests: ParallelRequests | UnsetType | None = UNSET
    on_disconnect: OnDisconnect | UnsetType = UNSET

    def access(self) -> Access:
        """What is `unsaid` is in it as for a new token."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if name not in self.unsaid}
        return Access(**said)

    @property
    def unsaid(self) -> list[str]:
        return [name for name in self.__struct_fields__ if getattr(self, name) is UNSET]


class TokenAccessReply(Reply):
    """The networks in their shortest form, in order."""

    requests_per_minute: int | None
    parallel_requests: int | None
    networks: list[str]
    on_disconnect: OnDisconnect


class TokenWords(Body):
    """For how many hours from now on what is asked with the token, and answered, is kept for its person."""

    hours: Annotated[int, msgspec.Meta(ge=1, le=word_log.MOST_HOURS)]


class TokenWordsReply(Reply):
    words_until: datetime


class NewToken(Body):
    """Good for `days` days, for ever without; for `models` by name, for all without; as far as `budget` goes.

    `origins` are the websites whose pages may ask with it; `requests_per_minute` is how often it may,
    `parallel_requests` how much at once, `networks` from where, and `on_disconnect` what becomes of an answer whose
    program leaves.
    """

    name: Words
    days: Annotated[int, msgspec.Meta(ge=1, le=token_service.MAX_DAYS)] | None = None
    models: Annotated[list[Words], msgspec.Meta(max_length=token_service.MAX_MODELS)] | None = None
    budget: TokenBudget | None = None
    origins: Origins | None = None
    requests_per_minute: RequestsPerMinute | None = None
    parallel_requests: ParallelRequests | None = None
    networks: Networks | None = None
    on_disconnect: OnDisconnect = "stop"

    def wanted(self) -> Wanted:
        return Wanted(
            name=self.name,
            days=self.days,
            models=self.models,
            budget=self.budget.cap() if self.budget else None,
            origins=self.origins or (),
            access=Access(self.requests_per_minute, self.networks or (), self.parallel_requests, self.on_disconnect),
        )


class TokenFacts(Reply):
    """`hint` is the token's last four characters, `state` one of active, expired, revoked; null `models` are all.

    `origins` are the websites whose pages may ask with it; until `words_until` its person has kept what is asked with
    it and answered, null where nothing is. `requests_per_minute`, `parallel_requests`, `networks` and `on_disconnect`
    ("stop" or "continue") as one's person has set them.
    """

    id: str
    name: str
    hint: str
    state: str
    models: list[str] | None
    origins: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    words_until: datetime | None
    requests_per_minute: int | None
    parallel_requests: int | None
    networks: list[str]
    on_disconnect: OnDisconnect


class TokenReply(TokenFacts):
    """A token of one's own, and how its budget stands; null where it has none."""

    budget: BudgetReply | None


class MadeTokenReply(Reply):
    """`secret` is the token. It is told here and never again."""

    token: TokenReply
    secret: str


class TokensReply(Reply):
    tokens: list[TokenReply]


class AnybodysTokenReply(TokenFacts):
    user: Person
    revoked_at: datetime | None


class AnybodysTokensReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    tokens: list[AnybodysTokenReply]
    next: str | None


def access_reply(access: Access) -> TokenAccessReply:
    return TokenAccessReply(
        requests_per_minute=access.requests_per_minute,
        parallel_requests=access.parallel_requests,
        networks=list(access.networks),
        on_disconnect=cast("OnDisconnect", access.on_disconnect),
    )


def tokens_reply(tokens: Sequence[AccessToken]) -> TokensReply:
    ids = [token.id for token in tokens]
    standings, origins = token_budget_service.standings(ids, utc_now()), token_origin_service.of(ids)
    return TokensReply(tokens=[_token_reply(each, standings.get(each.id), origins.get(each.id)) for each in tokens])


def made_token_reply(made: Made) -> MadeTokenReply:
    origins = token_origin_service.of([made.token.id]).get(made.token.id)
    return MadeTokenReply(token=_token_reply(made.token, made.budget, origins), secret=made.secret)


def anybodys_tokens_reply(page: Page) -> AnybodysTokensReply:
    origins = token_origin_service.of(each.token.id for each in page.tokens)
    listed = [_anybodys(each, origins.get(each.token.id)) for each in page.tokens]
    return AnybodysTokensReply(tokens=listed, next=page.next)


def _token_reply(token: AccessToken, standing: Standing | None, origins: list[str] | None) -> TokenReply:
    return TokenReply(**_shown(token, origins), budget=budget_reply(standing) if standing else None)


def _anybodys(listed: Listed, origins: list[str] | None) -> AnybodysTokenReply:
    user = Person(id=listed.token.user_id, username=listed.username)
    return AnybodysTokenReply(**_shown(listed.token, origins), user=user, revoked_at=listed.token.revoked_at)


def _shown(token: AccessToken, origins: list[str] | None) -> dict[str, Any]:
    bounds = ("requests_per_minute", "parallel_requests", "on_disconnect")
    names = ("id", "name", "hint", "created_at", "expires_at", "last_used_at", *bounds)
    now, until = utc_now(), token.words_until
    return {name: getattr(token, name) for name in names} | {
        "state": token_service.state_of(token, now),
        "models": token_service.models_of(token.models),
        "origins": origins or [],
        "networks": token_access_service.networks_of(token.networks),
        "words_until": until if until and until > now else None,
    }
