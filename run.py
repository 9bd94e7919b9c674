"""Development server: reloads on change. Never for production (see wsgi.py)."""

import os

from flask_app import create_app

if __name__ == "__main__":
    create_app().run(
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "5000")),
        # The debugger would let anyone who reaches the port run Python.
        debug=False,
        use_debugger=False,
        use_reloader=True,
        threaded=True,
    )
