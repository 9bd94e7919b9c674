"""What gunicorn (or any WSGI server) serves: ``gunicorn wsgi:app``."""

import sys

from flask_app import create_app
from flask_app.errors import ConfigError
from scripts import settings_file

settings_file.load()

try:
    app = create_app()
except ConfigError as error:
    sys.stderr.write(f"A setting is wrong: {error}.\n")
    sys.exit(3)  # tells gunicorn not to try again
