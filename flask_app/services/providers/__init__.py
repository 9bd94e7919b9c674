"""Providers, their keys and their models."""
