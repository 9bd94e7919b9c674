"""Everything of one's own as one file: a zip of JSON, with a page that says what is in it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from flask import Response, g

from flask_app.database import utc_now
from flask_app.domain import file_names
from flask_app.models import KeptDraft, User
from flask_app.services.budgets import budget_service
from flask_app.services.files import file_service
from flask_app.services.gateway.request_search import Found, Page
from flask_app.services.people import managing_service
from flask_app.services.portability import conversation_export, own_data
from flask_app.services.sign_in import known_devices, passkey_service, second_step_service, session_service
from flask_app.services.sign_in.known_devices import Told
from flask_app.services.tokens import token_service
from flask_app.services.usage import records_service
from flask_app.services.usage.record_search import ANYTHING
from flask_app.web import zip_stream
from flask_app.web.assistants import assistant_reply
from flask_app.web.bodies import Reply, encoded
from flask_app.web.browsers import DeviceReply, SessionReply, device_reply, sessions_reply
from flask_app.web.budgets import BudgetReply, budget_reply
from flask_app.web.conversation_files import json_pieces
from flask_app.web.conversation_pages import Reader
from flask_app.web.exports import json_lines, sent
from flask_app.web.files import file_reply
from flask_app.web.identities import LinkedReply, identities_reply
from flask_app.web.passkeys import PasskeyReply, passkeys_reply
from flask_app.web.people import OwnUserReply, own_user_reply
from flask_app.web.prompts import prompt_reply
from flask_app.web.records import own_record_reply
from flask_app.web.requests import own_requests_reply, words_reply
from flask_app.web.second_steps import SecondStepReply, second_step_reply
from flask_app.web.shares import ShareFacts, share_facts
from flask_app.web.supervision import OwnLook, own_looks
from flask_app.web.tokens import TokenReply, tokens_reply
from flask_app.web.zip_stream import File

UNTOLD = Told([], may_confirm=False)  # what is new stands among the browsers that are known


class OwnAccount(Reply):
    """What the account page shows, and its neighbours: nothing in it signs anybody in."""

    user: OwnUserReply
    group: str
    manages: list[str]
    second_step: SecondStepReply
    passkeys: list[PasskeyReply]
    identities: list[LinkedReply]
    sessions: list[SessionReply]
    known_browsers: list[DeviceReply]
    tokens: list[TokenReply]
    budgets: list[BudgetReply]
    looks: list[OwnLook]
    shares: list[ShareFacts]


class OwnDraft(Reply):
    """`conversation_id` is null for a new conversation."""

    conversation_id: str | None
    text: str
    saved_at: datetime


def own_data_file(actor: User) -> Response:
    """Made while it is sent, as `exports.sent` sends it."""
    reader = Reader.of(actor)
    account = encoded(_account(actor))  # here, where the request is that it tells of
    day = f"{reader.local(utc_now()):%Y-%m-%d}"
    name = file_names.safe(reader.t("portability.everything_file", day=day))
    return sent(zip_stream.zipped(_files(reader, actor, account)), zip_stream.CONTENT_TYPE, f"{name}.zip")


def _account(actor: User) -> OwnAccount:
    return OwnAccount(
        user=own_user_reply(actor),
        group=own_data.group_of(actor),
        manages=[group.name for group in managing_service.managed(actor)],
        second_step=second_step_reply(second_step_service.standing(actor)),
        passkeys=passkeys_reply(passkey_service.listed(actor)).passkeys,
        identities=identities_reply(actor).identities,
        sessions=sessions_reply(session_service.listed(actor, g.session_id), UNTOLD, here=g.session_id).sessions,
        known_browsers=[device_reply(each) for each in known_devices.listed(actor)],
        tokens=tokens_reply(token_service.own(actor)).tokens,
        budgets=[budget_reply(each) for each in budget_service.own(actor, utc_now())],
        looks=own_looks().looks,
        shares=share_facts(actor),
    )


def _files(reader: Reader, actor: User, account: bytes) -> Iterator[File]:
    now = reader.local(utc_now())
    talks = conversation_export.every(actor)
    yield "README.txt", now, reader.t("portability.everything_read_me", site=reader.site).encode()
    yield "account.json", now, account
    yield "conversations.json", now, json_pieces(conversation_export.folders(actor), talks)
    yield "drafts.jsonl", now, _lines([_draft(each)] for each in own_data.drafts(actor))
    yield "prompts.jsonl", now, _lines([prompt_reply(each)] for each in own_data.prompts(actor))
    yield "assistants.jsonl", now, _lines([assistant_reply(each)] for each in own_data.assistants(actor))
    records = records_service.every_own(actor, ANYTHING)
    yield "usage.jsonl", now, _lines([own_record_reply(each) for each in page] for page in records)
    requests = own_data.requests(actor)
    yield "requests.jsonl", now, _lines(_requests(page) for page in requests)
    yield "words.jsonl", now, _words(actor)
    yield "files.jsonl", now, _lines([file_reply(each)] for each in own_data.files(actor))
    for each in own_data.files(actor):
        if each.absent:
            continue
        yield f"files/{each.id} {each.name}", now, file_service.content(each)


def _lines(pages: Iterable[Iterable[Reply]]) -> Iterator[bytes]:
    return (page.encode() for page in json_lines(pages))


def _draft(draft: KeptDraft) -> OwnDraft:
    return OwnDraft(conversation_id=draft.conversation_id, text=draft.text, saved_at=draft.saved_at)


def _requests(page: list[Found]) -> Iterable[Reply]:
    return own_requests_reply(Page(page, None), ()).requests


def _words(actor: User) -> Iterator[bytes]:
    for request_id, kept in own_data.words(actor):
        yield msgspec.json.encode({"request_id": request_id, **msgspec.structs.asdict(words_reply(kept))}) + b"\n"
