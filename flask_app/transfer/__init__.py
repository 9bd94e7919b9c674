"""Rows out of one database and into another: what a backup, a restore and a move have in common."""
