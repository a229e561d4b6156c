"""The history of local projects: versions, their differences, and restoring a version."""
