"""Answers while they are made: each on a thread of its own, followed, stopped, and ended exactly once."""
