"""The last step of this process: nothing is begun any more; what was begun is settled, or on disk, and noted."""

from flask_app.services.chat import beginning
from flask_app.services.gateway import request_log
from flask_app.services.runs import closing, run_service


def finish() -> None:
    """End the answers of this process, and wait until they are settled."""
    closing.close()
    try:
        beginning.forgo_doubts()
    finally:
        run_service.shutdown()
        request_log.finish()
