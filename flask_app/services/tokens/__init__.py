"""Personal access tokens: what a program asks with."""
