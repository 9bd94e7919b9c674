"""Secrets at rest, their keys, and digests that only this installation can make."""
