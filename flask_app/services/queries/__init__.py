"""What several questions to the database have in common."""
