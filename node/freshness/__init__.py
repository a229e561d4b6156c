"""Whether projects can be relied on: reviews that fall due, reminders, the archive."""
