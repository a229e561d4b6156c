"""The desk: a page of everything that needs the current user's attention."""
