"""Event logs that several processes share over Redis."""
