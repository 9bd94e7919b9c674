"""Finding one's conversations by their words."""
