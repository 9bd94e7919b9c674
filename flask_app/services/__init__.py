"""What the application does: a room for each of its subjects, whose `__init__.py` says what is done there."""
