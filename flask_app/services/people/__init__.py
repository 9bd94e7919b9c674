"""People and their groups: who is here, how one comes in, and what each may do."""
