"""Reaching providers."""
