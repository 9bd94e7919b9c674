"""One's own prompts, and those that one can ask with."""

from flask import Blueprint, render_template

from flask_app.services.prompts import offered_prompts, own_prompts, prompt_terms
from flask_app.utils import get_current_user, require_login
from flask_app.web import pages
from flask_app.web.bodies import accepts, queries, refuses, returns
from flask_app.web.prompts import (
    MOST_BYTES,
    OfferedPromptsReply,
    PromptBody,
    PromptReply,
    PromptsReply,
    PromptTextReply,
    asked,
    offered_reply,
    prompt_reply,
    prompts_reply,
)

blueprint = Blueprint("prompts", __name__)

TAKEN = "There is one with this command, or there are 500 already."


@blueprint.get("/prompts")
@require_login
def home() -> str:
    state = pages.state(prompts_reply(own_prompts.listed(get_current_user(), asked())))
    return render_template("prompts.html", prompts_state=state, most_text=prompt_terms.MAX_TEXT)


@blueprint.get("/api/prompts")
@require_login
@returns(PromptsReply)
@queries(
    q="What stands in the command or the title.", before="Where the last page ended (`next`).", limit="At most 100."
)
def own() -> PromptsReply:
    """One's own prompts, the newest first. Nobody else sees them."""
    return prompts_reply(own_prompts.listed(get_current_user(), asked()))


@blueprint.post("/api/prompts")
@require_login
@accepts(PromptBody, most=MOST_BYTES)
@returns(PromptReply, 201)
@refuses(409, TAKEN)
def add(body: PromptBody) -> PromptReply:
    """Keep a prompt."""
    return prompt_reply(own_prompts.add(get_current_user(), body.wanted()))


@blueprint.get("/api/prompts/<prompt_id>")
@require_login
@returns(PromptReply)
def one(prompt_id: str) -> PromptReply:
    """One of one's own prompts, with its whole text."""
    return prompt_reply(own_prompts.one(get_current_user(), prompt_id))


@blueprint.put("/api/prompts/<prompt_id>")
@require_login
@accepts(PromptBody, most=MOST_BYTES)
@returns(PromptReply)
@refuses(409, TAKEN)
def change(prompt_id: str, body: PromptBody) -> PromptReply:
    """Give one of one's prompts other words."""
    return prompt_reply(own_prompts.change(get_current_user(), prompt_id, body.wanted()))


@blueprint.delete("/api/prompts/<prompt_id>")
@require_login
@returns(None, 204)
def delete(prompt_id: str) -> None:
    """Delete one of one's prompts."""
    own_prompts.delete(get_current_user(), prompt_id)


@blueprint.get("/api/offered-prompts")
@require_login
@returns(OfferedPromptsReply)
def offered() -> OfferedPromptsReply:
    """What one can ask with by a command: one's own prompts, then those of one's group, then those for everybody.

    Where a command stands twice, the first one counts.
    """
    return offered_reply(offered_prompts.listed(get_current_user()))


@blueprint.get("/api/offered-prompts/<prompt_id>/text")
@require_login
@returns(PromptTextReply)
def text(prompt_id: str) -> PromptTextReply:
    """The text of a prompt that one can ask with."""
    return PromptTextReply(text=offered_prompts.text(get_current_user(), prompt_id))
