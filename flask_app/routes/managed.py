"""The part of a site that the managers of a group see: their group's people, use, invitations and budgets.

To whoever does not manage a group it looks as one that is not there.
"""

from flask import Blueprint, g, redirect, render_template, url_for
from werkzeug import Response

from flask_app.database import utc_now
from flask_app.domain import periods, ranges
from flask_app.errors import NotFound
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.people import invitation_admin_service, managing_service, supervision_service
from flask_app.services.queries import paging
from flask_app.services.usage import breakdown_service
from flask_app.services.usage.stats_service import DateRange, zone_of
from flask_app.utils import get_current_user, require_login, require_manager, require_proof
from flask_app.web import arguments, pages
from flask_app.web.bodies import accepts, queries, returns
from flask_app.web.budgets import AdminBudgetsReply, admin_budgets_reply
from flask_app.web.client import client_address
from flask_app.web.groups import group_name
from flask_app.web.invitations import (
    InvitationMade,
    InvitationReply,
    InvitationsReply,
    invitation_made,
    invitation_reply,
    invitations_reply,
)
from flask_app.web.managed import (
    ChangeManagedPerson,
    InviteIntoGroup,
    ManagedGroups,
    ManagedPeople,
    ManagedPersonReply,
    ManagedState,
    managed_groups,
    managed_people,
)
from flask_app.web.people import LinkReply
from flask_app.web.supervision import LookAt, LookReply, listed, read
from flask_app.web.usage import GroupsReply, groups_reply

blueprint = Blueprint("managed", __name__)
API = "/api/managed/<managed_id>"
SPANS = ("today", "days_7", "days_30", "month")  # of `domain/ranges.py`


@blueprint.get("/managed")
@require_login
def first() -> Response:
    """The first of one's groups."""
    groups = managing_service.managed(get_current_user())
    if not groups:
        raise NotFound
    return redirect(url_for("managed.page", managed_id=groups[0].id))


@blueprint.get("/managed/<managed_id>")
@require_manager("people.see")
def page(managed_id: str) -> str:
    """A group on one page, with what its people used in one of SPANS."""
    reader, now, span = get_current_user(), utc_now(), arguments.word("range") or "days_30"
    if span not in SPANS:
        raise NotFound
    today = periods.local_day(now, zone_of(reader))
    days = ranges.presets(today, today)[span]
    use = breakdown_service.of_group(reader, managed_id, DateRange(days.first, days.last), now)
    there = managed_people(managing_service.people(managed_id, limit=paging.PAGE))
    state = ManagedState(
        group=group_name(g.managed),
        supervised=g.managed.supervised_since is not None,
        users=there.users,
        next=there.next,
        use=groups_reply(use).rows,
        invited=invitations_reply(invitation_admin_service.listed(group_id=managed_id)),
        budgets=admin_budgets_reply(budget_admin_service.listed(now, group=managed_id)),
    )
    groups = managed_groups(managing_service.managed(reader))
    shown = {"groups": groups, "group": state.group, "spans": SPANS, "span": span}
    return render_template("managed.html", admin_state=pages.state(state), **shown)


@blueprint.get("/managed/<managed_id>/read/<user_id>")
@require_manager("conversations")
def reading(managed_id: str, user_id: str) -> str:
    """Where a manager reads what a member wrote: the page itself tells nothing of it."""
    since = g.managed.supervised_since
    if since is None:
        raise NotFound
    person, group = managing_service.member(managed_id, user_id), group_name(g.managed)
    told = not supervision_service.is_unseen(person, since)
    return render_template("managed_reading.html", group=group, person=person.username, user_id=person.id, told=told)


@blueprint.post(f"{API}/people/<user_id>/looks")
@require_manager("conversations")
@accepts(LookAt)
@returns(LookReply)
def look(managed_id: str, user_id: str, body: LookAt) -> LookReply:
    """Look at a member's conversations in a supervised group, or at one: it is noted, and the member sees who did."""
    if body.conversation_id is None:
        return listed(supervision_service.conversations(_actor(), managed_id, user_id, before=body.before))
    return read(supervision_service.messages(_actor(), managed_id, user_id, body.conversation_id))


@blueprint.get("/api/managed")
@require_login
@returns(ManagedGroups)
def groups() -> ManagedGroups:
    """The groups that one manages; for most people none."""
    return ManagedGroups(groups=managed_groups(managing_service.managed(get_current_user())))


@blueprint.get(f"{API}/people")
@require_manager("people.see")
@queries(before="The cursor `next` of the page before", limit="How many (50; at most 100)")
@returns(ManagedPeople)
def people(managed_id: str) -> ManagedPeople:
    """The people of a group, the newest first."""
    limit = arguments.number("limit", paging.PAGE)
    return managed_people(managing_service.people(managed_id, before=arguments.word("before"), limit=limit))


@blueprint.patch(f"{API}/people/<user_id>")
@require_manager("people.disable")
@require_proof
@accepts(ChangeManagedPerson)
@returns(ManagedPersonReply)
def change(managed_id: str, user_id: str, body: ChangeManagedPerson) -> ManagedPersonReply:
    """Disable a member, who is signed out, or let them in again, unless an administrator disabled them."""
    user = managing_service.set_disabled(_actor(), managed_id, user_id, disabled=body.disabled).user
    return ManagedPersonReply(id=user.id, username=user.username, disabled=user.disabled)


@blueprint.post(f"{API}/people/<user_id>/reset-link")
@require_manager("people.link")
@require_proof
@returns(LinkReply)
def link(managed_id: str, user_id: str) -> LinkReply:
    """The token of a single-use link by which a member chooses a new password; it is not shown again."""
    made = managing_service.link(_actor(), managed_id, user_id)
    return LinkReply(token=made.token, expires_at=made.expires_at)


@blueprint.get(f"{API}/invitations")
@require_manager("people.invite")
@returns(InvitationsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def invitations(managed_id: str) -> InvitationsReply:
    """The invitations into a group, the newest first, without their codes."""
    before, limit = arguments.word("before"), arguments.number("limit", paging.PAGE)
    return invitations_reply(invitation_admin_service.listed(group_id=managed_id, before=before, limit=limit))


@blueprint.post(f"{API}/invitations")
@require_manager("people.invite")
@require_proof
@accepts(InviteIntoGroup)
@returns(InvitationMade, 201)
def invite(managed_id: str, body: InviteIntoGroup) -> InvitationMade:
    """Make an invitation into a group: a link, and a code to be typed. Both are shown this once."""
    return invitation_made(invitation_admin_service.make(_actor(), body.terms(managed_id)))


@blueprint.delete(f"{API}/invitations/<invitation_id>")
@require_manager("people.invite")
@returns(InvitationReply)
def revoke(managed_id: str, invitation_id: str) -> InvitationReply:
    """Let nobody come in by an invitation into a group any more. Who did stays."""
    return invitation_reply(invitation_admin_service.revoke(_actor(), invitation_id, group_id=managed_id))


@blueprint.get(f"{API}/use")
@require_manager("usage")
@queries(**{"from": "The first day; all that ever was without.", "to": "The last day."})
@returns(GroupsReply)
def use(managed_id: str) -> GroupsReply:
    """What each of the people used who are in a group now, the most first."""
    return groups_reply(breakdown_service.of_group(get_current_user(), managed_id, arguments.dates(), utc_now()))


@blueprint.get(f"{API}/budgets")
@require_manager("budgets.see")
@returns(AdminBudgetsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def budgets(managed_id: str) -> AdminBudgetsReply:
    """The budgets of a group, of each of its people, and of single persons who are in it, the newest first."""
    before, limit = arguments.word("before"), arguments.number("limit", paging.PAGE)
    return admin_budgets_reply(budget_admin_service.listed(utc_now(), group=managed_id, before=before, limit=limit))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
