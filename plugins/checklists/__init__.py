"""Checklists: what good digital work looks like, asked of a project."""
