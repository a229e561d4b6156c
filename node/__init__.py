"""Moothall: a small server that a UK council runs for itself. The rooms are named in council words."""

__version__ = "0.1.0"
