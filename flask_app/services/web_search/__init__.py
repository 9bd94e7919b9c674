"""Looking a question up on the web: whether, by whom, and for whom."""
