"""Stores what users typed into a form and have not saved yet, so that nothing is lost."""
