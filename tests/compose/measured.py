"""What the tests measured, for the summary at the end."""

BYTES: dict[str, int] = {}
SECONDS: dict[str, float] = {}
