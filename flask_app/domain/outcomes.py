"""How an answer may have ended."""

OUTCOMES = ("complete", "stopped", "left", "interrupted", "failed")
