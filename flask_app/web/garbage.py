"""What a request leaves that refers to itself, as statements do, is freed once its reply has been sent.

Python looks for it by itself whenever there is enough of it, in the middle of somebody's request.
"""

import gc

from flask import Flask, Response

FEW = 2_000  # objects that are new since the last look
OFTEN = 10  # looks at what is new, before one at what earlier ones found in use as well


def init_app(app: Flask) -> None:
    app.after_request(_free_once_sent)


def _free_once_sent(response: Response) -> Response:
    response.call_on_close(free)
    return response


def free() -> None:
    """Look at what is new, if that is worth a look."""
    new, looks, _ = gc.get_count()
    if new > FEW:
        gc.collect(1 if looks >= OFTEN else 0)
