"""Rotation of ENCRYPTION_KEY: a new key seals, the old one opens until nothing is sealed with it, and then it goes.

Where it is broken off, both keys are still there, and the next run goes on with them.
"""

import secrets
import time

from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import in_transaction
from flask_app.errors import Conflict
from flask_app.instance_secrets import KEY, OLD_KEY, InstanceSecrets
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.secrets import sealed
from flask_app.services.secrets.sealed import Resealed

SETTLE_SECONDS = 2  # what was sealed with the old key a moment ago has been written by then


def rotate(actor: Actor) -> Resealed:
    """Seal everything with a new key while servers run; raises Conflict("no_new_encryption_key").

    A key that this installation made for itself is replaced, and running servers read the new one from the same file.
    One that the environment gives is changed there, by a person, who leaves the one before as OLD_ENCRYPTION_KEY.
    """
    settings = config.current()
    if KEY not in settings.made_secrets:
        if settings.old_encryption_key is None:
            raise Conflict("no_new_encryption_key")
        return _reseal_all(actor)
    own = InstanceSecrets(settings.instance_dir)
    known = own.known()
    if OLD_KEY not in known:
        own.keep({KEY: secrets.token_urlsafe(48), OLD_KEY: known[KEY]})
    done = _reseal_all(actor)
    own.forget(OLD_KEY)
    return done


def _reseal_all(actor: Actor) -> Resealed:
    """Until a second look finds nothing that a server has sealed with the old key meanwhile."""

    def work(session: Session) -> Resealed:
        found = sealed.reseal(session.connection())
        details = {"resealed": found.resealed, "unreadable": found.unreadable}
        audit_service.record(session, actor.user, "secrets.rotate", "secrets", details, actor.address)
        return found

    done = in_transaction(work)
    while True:
        time.sleep(SETTLE_SECONDS)
        late = in_transaction(lambda session: sealed.reseal(session.connection()))
        done.resealed += late.resealed
        if not late.resealed:
            return done
