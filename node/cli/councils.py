"""Commands about our council: its name elsewhere, and where it goes."""
