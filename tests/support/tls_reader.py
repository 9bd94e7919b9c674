"""Reads one answer over TLS as gunicorn's worker does, and says its length: `tls_reader PORT`."""

import runpy
import sys
from pathlib import Path

from gevent import monkey

CONFIGURATION = Path(__file__).parents[2] / "gunicorn.conf.py"


def main() -> None:
    monkey.patch_all()
    from flask_app.upstream import connection

    connection.wait_with(runpy.run_path(str(CONFIGURATION))["_Readable"])
    made = connection.Connection(connection.Origin("https", "localhost", int(sys.argv[1]), allow_insecure=True))
    made.connect(5)
    made.send("GET", "/", {}, b"")
    made.read_head(None)
    length = sum(map(len, iter(made.read, b"")))
    made.close()
    sys.stdout.write(str(length))


if __name__ == "__main__":
    main()
