"""Password reset by email, for users who forgot their password."""
