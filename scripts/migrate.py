"""Bring the database of DATABASE_URL (SQLite in instance/ by default) to the newest schema."""
