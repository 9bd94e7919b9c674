"""Directories that know people here: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.sign_in import directories
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import accepts, returns
from flask_app.web.client import client_address
from flask_app.web.directories import (
    DirectoriesReply,
    DirectoryBody,
    DirectoryReply,
    LookedUpReply,
    LookingUp,
    NewDirectory,
    directories_reply,
    directory_reply,
    failed_reply,
    found_reply,
)

blueprint = Blueprint("admin_directories", __name__, url_prefix="/api/admin/directories")


@blueprint.get("")
@require_permission("identities")
@returns(DirectoriesReply)
def listed() -> DirectoriesReply:
    """Every directory."""
    return directories_reply()


@blueprint.post("")
@require_permission("identities")
@require_proof
@accepts(NewDirectory)
@returns(DirectoryReply, 201)
def add(body: NewDirectory) -> DirectoryReply:
    """Let people of another directory (LDAP) sign in by name and password. Its password is returned by nothing."""
    return directory_reply(directories.add(_actor(), body.slug, body.wanted()))


@blueprint.put("/<directory_id>")
@require_permission("identities")
@require_proof
@accepts(DirectoryBody)
@returns(DirectoryReply)
def change(directory_id: str, body: DirectoryBody) -> DirectoryReply:
    """Change how a directory is asked, and what its word is worth. Holds from the next sign-in.

    Where it is asked elsewhere or by somebody else its password is needed anew (422 `directory_password_anew`).
    """
    return directory_reply(directories.change(_actor(), directory_id, body.wanted()))


@blueprint.delete("/<directory_id>")
@require_permission("identities")
@require_proof
@returns(None, 204)
def delete(directory_id: str) -> None:
    """Ask it no more. Accounts stay, what was linked goes."""
    directories.delete(_actor(), directory_id)


@blueprint.post("/try")
@require_permission("identities")
@require_proof
@accepts(LookingUp)
@returns(LookedUpReply)
def try_out(body: LookingUp) -> LookedUpReply:
    """Look somebody up, signing nobody in, and say in words what is wrong."""
    try:
        place = directories.place(body.directory.terms(), body.directory.bind_password, body.directory_id)
        return found_reply(directories.look_up(_actor(), place, body.username))
    except IdentityProviderError as error:
        return failed_reply(error)


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
