"""Moothall: a small server that a council runs for itself. Its rooms have council words."""

__version__ = "0.1.0"
