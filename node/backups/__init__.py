"""Backups: one file with everything that belongs to a node, and restoring a node from it.

`archive` reads and writes the file, `databases` copies and restores the database of each engine,
`service` takes, checks and restores a backup.
"""
