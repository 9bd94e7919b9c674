"""The one door to the models: an attempt at a provider, the next one, and keys that rest."""
