"""One's own conversations as files. Nobody's group can switch that off: they are their person's."""

from flask import Blueprint, Response, request

from flask_app.services.portability.conversation_export import Choice
from flask_app.utils import get_current_user, require_login
from flask_app.web import zip_stream
from flask_app.web.arguments import word
from flask_app.web.bodies import downloads, queries
from flask_app.web.conversation_files import FORMATS, conversation_file, conversations_file, file_format
from flask_app.web.readers import limits_readers

blueprint = Blueprint("exports", __name__, url_prefix="/api/conversations")

_FORMAT = "md (the usual one), html, or json as docs/conversations.schema.json describes it."


@blueprint.get("/<conversation_id>/export")
@require_login
@limits_readers
@downloads(*FORMATS.values())
@queries(format=_FORMAT)
def export_one(conversation_id: str) -> Response:
    """A conversation of one's own as a file."""
    kind = file_format(word("format"))
    return conversation_file(get_current_user(), conversation_id, kind)


@blueprint.get("/export")
@require_login
@limits_readers
@downloads(FORMATS["json"], zip_stream.CONTENT_TYPE)
@queries(
    format=f"{_FORMAT} md and html come as a zip.",
    folder="A folder's id: only what is in it.",
    id="A conversation's id, up to 200 times: only those.",
)
def export() -> Response:
    """One's own conversations as a file, archived ones too; temporary ones were never kept."""
    kind = file_format(word("format"))
    choice = Choice(ids=request.args.getlist("id"), folder_id=word("folder"))
    return conversations_file(get_current_user(), choice, kind)
