"""What several tests share: stand-ins for the world outside."""
