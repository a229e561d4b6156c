"""Notifications about projects, councils and tags that a user follows: on a page and by email."""
