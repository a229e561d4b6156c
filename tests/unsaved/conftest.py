"""One council for all tests of a module, and the people who look at its pages."""

from tests.one_council import council, officer, operator, stranger

__all__ = ["council", "officer", "operator", "stranger"]
