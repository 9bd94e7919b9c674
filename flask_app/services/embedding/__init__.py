"""Vectors of passages: which model makes them, asked for and booked, and kept with what they are of."""
