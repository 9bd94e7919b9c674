"""Searching one's own conversations."""

from flask import Blueprint, request

from flask_app.services.search import search_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.arguments import word
from flask_app.web.bodies import queries, returns
from flask_app.web.search import HitsReply, hits_reply

blueprint = Blueprint("search", __name__, url_prefix="/api")


@blueprint.get("/conversations/search")
@require_login
@returns(HitsReply)
@queries(q="Words that must all be there; the last may be unfinished.", before="Where the last page ended (`next`).")
def search() -> HitsReply:
    """One's own conversations that have these words: in titles first, then in messages, the newest of each first.

    What was written is found some seconds later, on a busy site some minutes: answers come first. A page has 20 hits at
    most, and may have fewer although others follow: it looks at a bounded number of characters. Of a query the first 32
    words count; of more than eight that are written without blanks between them each eight are looked for together.
    Chinese without signs in it is one word.
    """
    text = request.args.get("q", "")  # as it is typed, with the wide blanks of input methods
    return hits_reply(*search_service.search(get_current_user(), text, before=word("before")))
