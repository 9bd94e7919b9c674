"""What a file is and says, found out in a process of its own: nothing here is loaded by one that serves."""
