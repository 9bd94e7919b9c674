"""Tools that a model calls while it answers: what may be offered, the rounds, the calls as they are stored."""
