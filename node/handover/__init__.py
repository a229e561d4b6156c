"""Handing a project over to another person of the council, who accepts or declines."""
