"""The site itself: its name and looks, what it announces, how often one may ask it, how long it keeps things."""
