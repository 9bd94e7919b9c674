"""Conversations that people show to others by a link: made, read, listed, ended, and who may."""
