"""Drafts that somebody else reads before they are published."""
