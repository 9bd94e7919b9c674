"""The second step of signing in, as the API shows it."""

from flask_app.services.sign_in.second_step_service import Begun, Renewed, Standing
from flask_app.web.bodies import Reply


class SecondStepReply(Reply):
    on: bool
    recovery_codes_left: int


class BegunReply(Reply):
    """The same thrice: `secret` to be typed (base 32), `uri` to be opened, `qr` (a `data:` address) to be scanned."""

    secret: str
    uri: str
    qr: str


class RecoveryCodesReply(Reply):
    """Shown this once."""

    recovery_codes: list[str]


def second_step_reply(standing: Standing) -> SecondStepReply:
    return SecondStepReply(on=standing.on, recovery_codes_left=standing.recovery_codes_left)


def begun_reply(begun: Begun) -> BegunReply:
    return BegunReply(secret=begun.secret, uri=begun.uri, qr=_picture(begun.uri))


def recovery_codes_reply(renewed: Renewed) -> RecoveryCodesReply:
    return RecoveryCodesReply(recovery_codes=renewed.recovery_codes)


def _picture(uri: str) -> str:
    """Dark on light in every theme, with the margin that cameras need."""
    import segno  # when somebody turns it on: few do, once

    return segno.make_qr(uri, error="m").svg_data_uri(dark="#000", light="#fff", border=4, xmldecl=False)
