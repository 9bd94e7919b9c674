"""A person's conversations beside their answers: lists, folders, drafts, titles, temporary ones."""
