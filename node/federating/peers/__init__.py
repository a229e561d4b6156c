"""Other servers: which are allowed, what they list, and fetching from them."""
