"""Updates about projects, written by their councils."""
