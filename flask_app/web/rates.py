"""How often may be asked, as JSON."""

from typing import Annotated

import msgspec

from flask_app.services.site import rates
from flask_app.services.site.rate_admin_service import Listed
from flask_app.services.site.rates import Rates
from flask_app.services.site.windows import Rate
from flask_app.web.bodies import Body, Reply
from flask_app.web.groups import GroupName, group_name

Amount = Annotated[int, msgspec.Meta(ge=1, le=rates.MAX_AMOUNT)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=rates.MAX_SECONDS)]


class RateBody(Body):
    """At most `amount` in any `seconds`; without limit where `amount` is null."""

    amount: Amount | None
    seconds: Seconds = 60


class GroupRatesBody(Body):
    """The rates of a group's people; a kind that is null or absent is as for the whole site."""

    messages: RateBody | None = None
    downloads: RateBody | None = None
    requests: RateBody | None = None


class SiteRatesBody(GroupRatesBody):
    """The rates of the whole site; a kind that is null or absent is as usual. `visits` are by address, of who is not
    signed in."""

    visits: RateBody | None = None


class RateReply(Reply):
    """`amount` null: without limit."""

    amount: int | None
    seconds: int


class RatesReply(Reply):
    """A kind that is null is as for the site, or as usual."""

    messages: RateReply | None
    downloads: RateReply | None
    requests: RateReply | None
    visits: RateReply | None


class GroupRates(Reply):
    group: GroupName
    rates: RatesReply


class AllRates(Reply):
    """`usual` holds where the site sets nothing, the site's where a group sets nothing."""

    usual: RatesReply
    site: RatesReply
    groups: list[GroupRates]


def wanted(body: GroupRatesBody) -> Rates:
    asked = {kind: getattr(body, kind, None) for kind in rates.KINDS}
    return {kind: each.amount and Rate(each.amount, each.seconds) for kind, each in asked.items() if each is not None}


def all_rates(listed: Listed) -> AllRates:
    return AllRates(
        usual=_reply(listed.usual),
        site=_reply(listed.site),
        groups=[GroupRates(group=group_name(each.group), rates=_reply(each.rates)) for each in listed.groups],
    )


def _reply(of: Rates) -> RatesReply:
    return RatesReply(**{kind: _rate(of[kind]) if kind in of else None for kind in rates.KINDS})


def _rate(rate: Rate | None) -> RateReply:
    return RateReply(amount=rate.amount if rate else None, seconds=rate.seconds if rate else 60)
