"""The audit log: written, read, and removed once it is too old."""
