"""E-mail: rows on their way, and the three ways by which they go."""
