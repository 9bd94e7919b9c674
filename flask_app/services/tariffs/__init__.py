"""What a token costs, and since when."""
