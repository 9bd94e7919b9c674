"""Files for messages and assistants. They are their person's: nobody else finds them."""

from flask import Blueprint, Response, g

from flask_app.domain import files
from flask_app.services.files import file_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.bodies import queries, refuses, returns, shows, takes_bytes
from flask_app.web.files import AddedFileReply, added_file_reply, received, sent

blueprint = Blueprint("files", __name__, url_prefix="/api/files")


@blueprint.post("")
@require_login
@takes_bytes
@returns(AddedFileReply, 201)
@queries(name="What the file is called, with its ending.")
@refuses(413, "Longer than 20 MB.")
@refuses(422, "It cannot be read: the code says why.")
@refuses(503, "Too many are being read at once, or `files_unavailable`: to be tried again. Or the disk is nearly full.")
def add() -> AddedFileReply:
    """Bring in a file: the body is its bytes, of any type but JSON and forms.

    A picture is made anew, upright, with 2,048 pixels at most on its longer edge, or up to 8,000 where its shorter one
    would have less than 768, and with 1.2 MB at most. What a camera noted is gone.
    Of a PDF, a Word document, slides, a spreadsheet, a page of HTML or a text the words are read. Its kind is told by
    its content.
    The same content once more is the file that is there. What no message and no assistant takes is removed after a day.
    """
    actor = get_current_user()
    file_service.require_room(g.file_quota_mb)
    with received(actor.id) as arrived:
        facts = file_service.keep(actor, arrived, g.file_quota_mb)
    omits = facts.kind == files.DOCUMENT and file_service.omits(actor, facts.id)
    return added_file_reply(facts, omits=omits)


@blueprint.get("/<file_id>")
@require_login
@shows(*files.TYPES)
@refuses(404, "None of one's own; or `file_not_kept`: a message names it, its content is not here.")
@refuses(503, "`files_unavailable`: where files are kept cannot be reached just now.")
def content(file_id: str) -> Response:
    """A file's content; of a picture what was made of it.

    A browser that has it asks each time whether it may show it: 304 says so.
    """
    return sent(file_service.here(get_current_user(), file_id))


@blueprint.delete("/<file_id>")
@require_login
@returns(None, 204)
@refuses(409, "A message or an assistant has it.")
def remove(file_id: str) -> None:
    """Delete a file that no message and no assistant has."""
    file_service.remove(get_current_user(), file_id)
