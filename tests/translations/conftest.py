"""A council that has something of each kind, and people who look at its pages."""

from tests.visibility.conftest import town

__all__ = ["town"]
