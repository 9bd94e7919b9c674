"""What was used, as pages and files tell it."""
