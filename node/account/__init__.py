"""What people do with their own accounts: their password, and where they are signed in."""
