"""Answers to programs, each in the shape of its API, and the log of their requests."""
