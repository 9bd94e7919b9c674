"""What providers say is left, compared with what was booked."""
