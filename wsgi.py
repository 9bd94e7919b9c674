"""What gunicorn (or any WSGI server) serves: ``gunicorn wsgi:app``."""

from flask_app import create_app

app = create_app()
