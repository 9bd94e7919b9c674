"""Personal access tokens as JSON. A token itself is told once, to who has just made it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from flask_app.database import utc_now
from flask_app.models import AccessToken
from flask_app.services import token_service
from flask_app.services.token_admin_service import Listed, Page
from flask_app.services.token_service import Made, Wanted
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.records import Person


class NewToken(Body):
    """Good for `days` days, for ever without; for `models` by name, for all without."""

    name: Words
    days: Annotated[int, msgspec.Meta(ge=1, le=token_service.MAX_DAYS)] | None = None
    models: Annotated[list[Words], msgspec.Meta(max_length=token_service.MAX_MODELS)] | None = None

    def wanted(self) -> Wanted:
        return Wanted(name=self.name, days=self.days, models=self.models)


class TokenReply(Reply):
    """`hint` is the token's last four characters, `state` one of active, expired, revoked; null `models` are all."""

    id: str
    name: str
    hint: str
    state: str
    models: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class MadeTokenReply(Reply):
    """`secret` is the token. It is told here and never again."""

    token: TokenReply
    secret: str


class TokensReply(Reply):
    tokens: list[TokenReply]


class TokensState(TokensReply):
    """What the page starts with: `models` are those that a token can be kept to."""

    models: list[str]


class AnybodysTokenReply(TokenReply):
    user: Person
    revoked_at: datetime | None


class AnybodysTokensReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    tokens: list[AnybodysTokenReply]
    next: str | None


def token_reply(token: AccessToken) -> TokenReply:
    return TokenReply(**_shown(token))


def made_token_reply(made: Made) -> MadeTokenReply:
    return MadeTokenReply(token=token_reply(made.token), secret=made.secret)


def anybodys_tokens_reply(page: Page) -> AnybodysTokensReply:
    return AnybodysTokensReply(tokens=[_anybodys(each) for each in page.tokens], next=page.next)


def _anybodys(listed: Listed) -> AnybodysTokenReply:
    user = Person(id=listed.token.user_id, username=listed.username)
    return AnybodysTokenReply(**_shown(listed.token), user=user, revoked_at=listed.token.revoked_at)


def _shown(token: AccessToken) -> dict[str, Any]:
    names = ("id", "name", "hint", "created_at", "expires_at", "last_used_at")
    told = {"state": token_service.state_of(token, utc_now()), "models": token_service.models_of(token.models)}
    return {name: getattr(token, name) for name in names} | told
