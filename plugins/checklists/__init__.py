"""Checklists: questions about good digital work on a project, a service or the whole council."""
