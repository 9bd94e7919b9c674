"""The last step of this process: nothing is begun any more; what was begun is settled, or on disk, and noted."""

from flask_app.services import beginning, closing, request_log, run_service


def finish() -> None:
    """End the answers of this process, and wait until they are settled."""
    closing.close()
    try:
        beginning.forgo_doubts()
    finally:
        run_service.shutdown()
        request_log.finish()
