"""Assistants: instructions, a model and an effort that a person keeps under a name, to begin conversations with."""
