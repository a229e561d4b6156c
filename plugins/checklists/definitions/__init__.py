"""Definitions of checklists as data: their model, format, parser and comparison."""
