"""Who is warned of what, and that nobody is told twice."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from flask_app.database import utc_now
from flask_app.models import DEFAULT_GROUP_ID, AccessToken, Notice, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.tokens import token_budget_service
from flask_app.services.tokens.token_budget_service import Cap
from flask_app.services.warnings import notice_words, warning_service
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support import gateway
from tests.support.together import at_once
from tests.support.warned import NOBODY, change, limit, made, mail_to, notices, use, use_mail, use_webhook

QueryCount = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    use_mail()
    return make_user("ada", email="ada@example.com")


@pytest.fixture
def root(make_user: MakeUser) -> User:
    use_mail()
    return make_user("root", "admin", email="root@example.com")


def test_a_person_is_told_of_their_own_budget_at_four_fifths_and_at_the_end(ada: User, root: User) -> None:
    limit("user", ada.id)
    use(ada, 7_999)
    look()
    assert made() == []
    use(ada, 1)
    look()
    look()
    assert made() == mail_to((80, ada))
    use(ada, 2_000)
    look()
    look()
    assert made() == mail_to((80, ada), (100, ada))


def test_a_tokens_person_is_told_which_it_is(ada: User, root: User) -> None:
    token = gateway.made(ada, "nightly").token
    cap = Cap(unit="tokens", period="day", limit=10_000)
    token_budget_service.put(Actor(ada), token.id, cap)
    use(ada, 9_000)
    look()
    assert made() == [], "it counts what is asked with it"
    use(ada, 8_500, token_id=token.id)
    look()
    look()
    assert made() == mail_to((80, ada))
    (notice,) = notices()
    facts = json.loads(notice.facts)
    assert (facts["name"], facts["token"], facts["scope_id"], facts["used"]) == ("ada", "nightly", token.id, 8_500)
    ada.locale = "en"
    letter = notice_words.letter(notice.kind, notice.share, facts, ada)
    assert letter.subject == "The “nightly” token's daily budget: 85% used"
    assert "API access" in letter.text
    told = notice_words.headline(notice.kind, notice.share, facts, "en")
    assert told == "ada, token “nightly”: 10,000 tokens a day, 85% used"


def test_of_a_revoked_tokens_limit_nobody_is_told(ada: User) -> None:
    """A version from before these limits revokes a token, and leaves its limit."""
    used, revoked = (gateway.made(ada, name).token.id for name in ("used", "revoked"))
    for token_id in (used, revoked):
        token_budget_service.put(Actor(ada), token_id, Cap(unit="tokens", period="day", limit=10_000))
        use(ada, 9_000, token_id=token_id)
    change(AccessToken, revoked, revoked_at=utc_now())
    look()
    assert [json.loads(notice.facts)["token"] for notice in notices()] == ["used"]


def test_each_person_of_a_group_is_told_of_their_own_share(ada: User, root: User, make_user: MakeUser) -> None:
    bob, carl = make_user("bob", email="bob@example.com"), make_user("carl", email="carl@example.com")
    limit("member", DEFAULT_GROUP_ID)
    use(ada, 8_000)
    use(bob, 10_000)
    use(carl, 7_999)
    look()
    look()
    assert made() == mail_to((80, ada), (100, bob))
    assert {notice.person_id for notice in notices()} == {ada.id, bob.id}


@pytest.mark.parametrize(("scope", "scope_id"), [("site", ""), ("group", DEFAULT_GROUP_ID)])
def test_administrators_are_told_of_the_site_and_of_groups(
    ada: User, root: User, make_user: MakeUser, scope: str, scope_id: str
) -> None:
    second = make_user("second", "admin", email="second@example.com")
    make_user("unreachable", "admin")
    limit(scope, scope_id)
    use(ada, 9_000)
    look()
    assert made() == mail_to((80, root), (80, second))


def test_the_webhook_hears_of_everything_once(make_user: MakeUser) -> None:
    ada = make_user("ada")
    use_webhook()
    limit("user", ada.id)
    limit("member", DEFAULT_GROUP_ID)
    limit("site", amount=20_000)
    use(ada, 10_000)
    look()
    look()
    assert made() == [("budget", 100, "webhook", "")] * 2


def test_who_has_no_address_or_wants_none_is_not_told(ada: User, make_user: MakeUser) -> None:
    for person in (make_user("none"), make_user("off", email="o@example.com", warn_by_email=False)):
        limit("user", person.id)
        use(person, 10_000)
    gone = make_user("gone", email="gone@example.com", disabled=True)
    limit("user", gone.id)
    use(gone, 10_000)
    look()
    assert made() == []


def test_who_gives_an_address_later_is_told_then(ada: User) -> None:
    change(User, ada.id, email=None)
    limit("user", ada.id)
    use(ada, 9_000)
    look()
    assert made() == []
    change(User, ada.id, email="ada@example.com")
    look()
    assert made() == mail_to((80, ada))


def test_without_mail_and_webhook_nothing_is_made(make_user: MakeUser) -> None:
    ada = make_user("ada", email="ada@example.com")
    limit("user", ada.id)
    use(ada, 10_000)
    look()
    assert notices() == []


def test_another_limit_may_be_told_again(ada: User) -> None:
    budget = limit("user", ada.id)
    use(ada, 9_000)
    look()
    budget_admin_service.change(NOBODY, budget, limit=20_000)
    look()
    assert made() == mail_to((80, ada))
    use(ada, 8_000)
    look()
    assert made() == mail_to((80, ada), (80, ada))
    budget_admin_service.change(NOBODY, budget, hard=False)
    look()
    assert len(made()) == 2, "that it only warns now is no news of how much is used"


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_a_new_period_may_be_told_again(ada: User, period: str) -> None:
    limit("user", ada.id, period=period)
    use(ada, 9_000)
    look()
    later = utc_now() + timedelta(days=40)
    look(later)
    assert len(made()) == 1
    use(ada, 9_000, at=later)
    look(later)
    look(later)
    assert made() == mail_to((80, ada), (80, ada))


def test_however_many_look_at_once_each_is_told_once(ada: User, root: User, make_user: MakeUser) -> None:
    use_webhook()
    people = [make_user(f"person {n}", email=f"p{n}@example.com") for n in range(20)]
    limit("member", DEFAULT_GROUP_ID)
    limit()
    for person in people:
        use(person, 9_000)
    outcomes = at_once(6, lambda _: look())
    assert [outcome for outcome in outcomes if outcome is not None] == []
    assert made() == sorted(
        [
            *(("budget", 80, "email", person.id) for person in people),
            *[("budget", 80, "webhook", "")] * 20,
            ("budget", 100, "email", root.id),
            ("budget", 100, "webhook", ""),
        ]
    )


def test_looking_asks_as_often_however_many_there_are(ada: User, make_user: MakeUser, query_count: QueryCount) -> None:
    limit("member", DEFAULT_GROUP_ID)
    use(ada, 9_000)
    look()
    with query_count() as few:
        look()
    for number in range(9):
        person = make_user(f"person {number}", email=f"p{number}@example.com")
        limit("user", person.id)
        use(person, 9_000)
    look()
    with query_count() as many:
        look()
    assert len(many) == len(few) <= 11


def test_nothing_is_written_where_nothing_is_new(ada: User, query_count: QueryCount) -> None:
    limit("user", ada.id)
    use(ada, 9_000)
    look()
    with query_count() as statements:
        look()
    assert [each for each in statements if not each.lstrip().startswith("SELECT")] == []


def test_what_is_long_over_goes_and_what_may_still_hold_stays(ada: User) -> None:
    limit("user", ada.id)
    limit("user", ada.id, period="prepaid", reason="paid")
    use(ada, 9_000)
    look()
    long_ago = utc_now() - timedelta(days=101)
    for notice in notices():
        change(Notice, notice.id, created_at=long_ago, state="sent")
    use(ada, 1_000)
    look()
    assert [(n.share, n.armed.split(":")[0]) for n in notices() if n.created_at == long_ago] == [(80, "prepaid")]


def test_whom_warnings_reach(ada: User, make_user: MakeUser) -> None:
    others = [make_user("b"), make_user("c", email="c@example.com", disabled=True), None]
    assert [warning_service.is_told(person) for person in (ada, *others)] == [True, False, False, False]


@pytest.mark.parametrize("kind", sorted(notice_words.OF_SIGN_IN))
def test_administrators_read_of_whom_a_mail_about_a_sign_in_told(kind: str) -> None:
    assert "Ada Morgan" in notice_words.headline(kind, 0, {"name": "Ada Morgan"}, "en")
