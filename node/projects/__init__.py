"""Projects: what councils do, want to do, and can reuse from each other.

Local and remote ones alike.
"""
