"""The people of the council who sign in, and what each may do."""
