"""Digests by which two nodes find out what they do not have in common."""

from hashlib import sha256

BUCKETS = 256


def bucket_of(uri: str) -> int:
    """The part of a council's digest that a project belongs to: 0 to 255."""
    return sha256(uri.encode()).digest()[0]
