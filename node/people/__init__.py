"""User accounts: sign-in, sessions, passwords, roles and permissions."""
