"""A run's event log, resumable."""
