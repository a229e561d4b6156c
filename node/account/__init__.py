"""Pages for a user's own account: password and sessions, and emails about changes."""
