"""Backups: one file that holds all that a node is, and a node made from it again.

`archive` is the file, `databases` copies each engine's database, `service` takes, checks and
restores a backup.
"""
