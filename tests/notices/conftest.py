"""One council for all tests of a module, and the people who use it."""

from tests.one_council import council, officer, operator

__all__ = ["council", "officer", "operator"]
