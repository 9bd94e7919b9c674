"""What the tests measured, in bytes, for the summary at the end."""

MEASURED: dict[str, int] = {}
