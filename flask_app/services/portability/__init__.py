"""What people take along: their conversations, and everything else of theirs, as files."""
