"""A message of the chat: sent, gone on with, answered once more."""
