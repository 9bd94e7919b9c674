"""What the account page starts with."""

from flask_app.web.browsers import SessionsReply
from flask_app.web.identities import IdentitiesReply
from flask_app.web.passkeys import PasskeyReply
from flask_app.web.second_steps import SecondStepReply
from flask_app.web.shares import ShareReply


class AccountState(SessionsReply):
    second_step: SecondStepReply
    passkeys: list[PasskeyReply]
    identity: IdentitiesReply
    shares: list[ShareReply]
