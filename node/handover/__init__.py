"""Giving a project to another person of the council, who accepts or declines."""
