"""What a checklist asks is data: what it may hold, how it is read, written and compared."""
