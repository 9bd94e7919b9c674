"""Texts that are asked with again by a command: a person's own, and those that administrators keep for others."""
